"""Runs before the MLflow server starts: migrates its database, and sets the passwords of its two users."""

import os
import subprocess
import sys
from collections.abc import Mapping

import psycopg
from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

USERS = {"admin": "MLFLOW_ADMIN_PASSWORD", "tidegate": "MLFLOW_RUN_PASSWORD"}
TURN = 0x71DE6A7E  # an advisory lock, because concurrent migrations of several replicas would fail


def prepare(environment: Mapping[str, str]) -> None:
    """Wait for the lock, migrate, then create the users or change their passwords."""
    uri = environment["MLFLOW_BACKEND_STORE_URI"]
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [TURN])
        subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", uri], check=True)
        store = SqlAlchemyStore()
        store.init_db(uri)  # type: ignore[no-untyped-call]
        for name, variable in USERS.items():
            change = store.update_user if store.has_user(name) else store.create_user
            change(name, environment[variable], is_admin=name == "admin")


if __name__ == "__main__":
    prepare(os.environ)
