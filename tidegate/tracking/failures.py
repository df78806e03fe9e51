"""The errors of MLflow, for `except`, without importing it: while it is not imported, nobody raises one."""

from __future__ import annotations

import sqlite3
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.exceptions import MlflowException


def of_mlflow() -> tuple[type[MlflowException], ...]:
    """MLflow's class of errors; no class while MLflow is not imported."""
    module = sys.modules.get("mlflow.exceptions")
    return (module.MlflowException,) if module else ()


def of_a_store() -> tuple[type[Exception], ...]:
    """Of MLflow, of this machine, and of a database that is read without MLflow."""
    return (OSError, sqlite3.Error, *of_mlflow())
