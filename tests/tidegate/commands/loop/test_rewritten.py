"""`dvc repro` takes edited files in data/ for the data: the stage that looks first stops it and puts data.dvc back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workspaces import Workspace

NewWorkspace = Callable[[Path], Workspace]


@pytest.fixture(params=["1", "8"], ids=["data.dvc first", "code first"])
def workspace(request: pytest.FixtureRequest, new_workspace: NewWorkspace, tmp_path: Path) -> Workspace:
    """A problem with committed data, nothing run; DVC orders some stages by their hashes."""
    found = new_workspace(tmp_path / "here")
    found.environment["PYTHONHASHSEED"] = request.param
    return found


def edit(workspace: Workspace, line: str = "N99999,2001,,,,,,,\n") -> None:
    path = workspace / "data/planes.csv"
    path.chmod(0o644)
    path.write_text(path.read_text() + line)


def refused(workspace: Workspace, *words: str) -> None:
    before = (workspace / "data.dvc").read_text()
    found = workspace.run(*words, check=False)
    assert found.returncode and "error: data.dvc: expected the version before `dvc repro` (" in found.stderr
    assert "run `dvc checkout data` to go back, or `dvc add data` to keep the edit" in found.stderr
    assert (workspace / "data.dvc").read_text() == before
    assert not (workspace / "artifacts/ingest").exists()


def test_edited_data_stops_every_way_to_run_until_somebody_says_what_holds(workspace: Workspace) -> None:
    edit(workspace)
    refused(workspace, "dvc", "repro")
    refused(workspace, "dvc", "repro", "ingest")
    assert workspace.run("git", "status", "--porcelain", "data.dvc").stdout == ""
    found = workspace.tidegate("run", check=False)
    assert found.returncode == 2 and "data: expected the data of data.dvc, found other files" in found.stderr
    workspace.run("dvc", "add", "--quiet", "data")
    workspace.run("dvc", "repro", "--quiet", "ingest")


def test_going_back_is_the_other_way(workspace: Workspace) -> None:
    edit(workspace)
    refused(workspace, "dvc", "repro", "ingest")
    workspace.run("dvc", "checkout", "--quiet", "--force", "data")
    workspace.run("dvc", "repro", "--quiet", "ingest")


def test_what_was_run_last_is_put_back_though_it_is_not_committed(workspace: Workspace) -> None:
    workspace.run("dvc", "repro", "--quiet", "ingest")
    edit(workspace)
    workspace.run("dvc", "add", "--quiet", "data")
    workspace.run("dvc", "repro", "--quiet", "ingest")
    before = (workspace / "data.dvc").read_text()
    edit(workspace, "N99998,2001,,,,,,,\n")
    found = workspace.run("dvc", "repro", "ingest", check=False)
    assert found.returncode and "expected the version before `dvc repro`" in found.stderr
    assert (workspace / "data.dvc").read_text() == before


def test_an_experiment_takes_the_version_of_the_last_run_or_commit(workspace: Workspace) -> None:
    edit(workspace)
    found = workspace.run("dvc", "exp", "run", "ingest", check=False)
    assert found.returncode
    assert "error: data.dvc: expected the version of the last run or commit, found " in found.stderr
    assert not list(workspace.folder.glob("artifacts/ingest/*"))
    (workspace / "data.dvc").touch()  # DVC wrote git's index in the same second, so git would not look into the file
    workspace.run("git", "commit", "--quiet", "--all", "--message", "Correct a year")
    workspace.run("dvc", "exp", "run", "ingest")


def test_data_that_is_not_in_the_cache_is_no_edit(workspace: Workspace) -> None:
    for path in (workspace / ".dvc/cache").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    workspace.run("rm", "-r", ".dvc/cache")
    workspace.run("dvc", "repro", "--quiet", "ingest")
    assert workspace.run("git", "status", "--porcelain", "data.dvc").stdout == ""
