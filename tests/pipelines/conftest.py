"""What the tests of the pipelines share: the compiled training pipeline, and the root of the repository."""

from pathlib import Path
from typing import Any

import pytest

from components.formats import read_json, write_json
from pipelines import kubeflow
from tests.worlds import once

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The training pipeline as Kubeflow's intermediate representation."""
    made = once(tmp_path_factory, "compiled", lambda folder: write_json(folder / "ir.json", kubeflow.ir()))
    found: dict[str, Any] = read_json(made / "ir.json")
    return found


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of the repository, as working directory."""
    monkeypatch.chdir(ROOT)
    return ROOT
