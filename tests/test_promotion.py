"""What the registry tells of a version, as its users ask: reproduce, lineage, card, history; and their page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workspaces import Workspace


@pytest.fixture(scope="module")
def once(new_workspace: Callable[[Path], Workspace], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace after its first turn, committed: version 1 serves."""
    workspace = new_workspace(tmp_path_factory.mktemp("once"))
    workspace.tidegate("run")
    workspace.run("git", "add", "--all")
    workspace.run("git", "commit", "--quiet", "--message", "Run")
    return workspace


def reproduced(workspace: Workspace, *more: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """What `tidegate reproduce 1` found, and what it said beside that."""
    done = workspace.tidegate("reproduce", "1", *more, "--json", check=False)
    assert done.returncode == code, done.stderr
    assert workspace.run("git", "worktree", "list").stdout.count("\n") == 1
    found: dict[str, Any] = json.loads(done.stdout)
    return found, done.stderr


def test_a_version_is_reproduced_from_its_record_alone(once: Workspace) -> None:
    for name in ("contract.yaml", "features.sql", "model.yaml", "params.yaml"):
        assert (once / name).is_file()
    (once / "model.yaml").write_text("estimator: sklearn.dummy.DummyClassifier\n")  # the workspace has moved on
    found, _ = reproduced(once)
    once.run("git", "checkout", "--quiet", "model.yaml")
    assert found["same"] and found["digest"]["recorded"] == found["digest"]["again"]
    assert found["differs"] == [] and found["train_loss"]["difference"] == 0
    assert found["predictions"] == {"rows": found["predictions"]["rows"], "largest": 0, "mean": 0}
    assert found["predictions"]["rows"] > 1000
