"""What the tests of the pipelines share: the compiled training pipeline, and the root of the repository."""

from pathlib import Path
from typing import Any

import pytest

from pipelines import kubeflow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def compiled() -> dict[str, Any]:
    """The training pipeline as Kubeflow's intermediate representation."""
    return kubeflow.ir()


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of the repository, as working directory."""
    monkeypatch.chdir(ROOT)
    return ROOT
