"""`tidegate collect`: data/ and data.dvc of a workspace get what the sources have, with and without a DVC remote."""

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.orders import CONTRACT
from tests.servers.programs import s3
from tests.workspaces import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A DVC repository with a contract whose rows come from a folder, and no data."""
    exports, folder = tmp_path / "exports", tmp_path / "here"
    exports.mkdir()
    folder.mkdir()
    (exports / "a.csv").write_text("at,id,back\n2024-01-01,1,\n2024-01-02,2,\n")
    found = Workspace(folder)
    found.environment["PYTHONPATH"] = str(ROOT)
    (folder / "contract.yaml").write_text(CONTRACT.replace("FOLDER", str(exports)))
    found.run("dvc", "init", "--quiet", "--no-scm")
    return found


def ids(workspace: Workspace) -> list[str]:
    """The keys of the rows in data/, which must be the version that data.dvc names."""
    assert "up to date" in workspace.run("dvc", "status").stdout
    lines = [line for path in (workspace / "data").rglob("*.csv") for line in path.read_text().splitlines()[1:]]
    return sorted(line.split(",")[1] for line in lines)


def one_line(workspace: Workspace, *words: str) -> str:
    found = workspace.tidegate(*words, check=False)
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (2, "", 1), found.stderr
    return found.stderr


def test_without_a_remote_versions_are_in_the_cache(workspace: Workspace, tmp_path: Path) -> None:
    found = workspace.tidegate("collect")
    assert found.stdout == (
        "orders: 2 new rows, 20240101T000000 to 20240102T000000\n"
        "data.dvc names the new version: commit it, or go on with `tidegate run`\n"
    )
    assert ids(workspace) == ["1", "2"]
    assert workspace.tidegate("collect").stdout == "orders: nothing new\n"
    (tmp_path / "exports/b.csv").write_text("at,id,back\n2024-02-01,3,\n2034-01-01,4,\n2024-03-01,5,\n")
    workspace.tidegate("collect", "--until", "2024-03-01")
    assert ids(workspace) == ["1", "2", "3"]
    workspace.tidegate("collect")
    assert ids(workspace) == ["1", "2", "3", "5"]  # what lies in the future waits


def test_data_of_ones_own_is_where_it_starts(workspace: Workspace) -> None:
    (workspace / "data/orders").mkdir(parents=True)
    (workspace / "data/orders/own.csv").write_text("at,id,back\n2023-01-01,0,\n")
    workspace.run("dvc", "add", "--quiet", "data")
    shutil.rmtree(workspace / ".dvc/cache")
    workspace.tidegate("collect")
    assert ids(workspace) == ["0", "1", "2"]
    assert (workspace / "data/orders/own.csv").exists()


def test_files_that_are_no_version_are_not_overwritten(workspace: Workspace) -> None:
    workspace.tidegate("collect")
    pinned = (workspace / "data.dvc").read_text()
    (workspace / "data/orders/mine.csv").write_text("at,id,back\n2023-01-01,0,\n")
    assert "run `dvc checkout data` or `dvc add data`" in one_line(workspace, "collect")
    assert (workspace / "data.dvc").read_text() == pinned and (workspace / "data/orders/mine.csv").exists()


def test_with_a_remote_each_workspace_goes_on_from_the_newest_version(workspace: Workspace, tmp_path: Path) -> None:
    workspace.run("dvc", "remote", "add", "--quiet", "--default", "store", "../store")
    another = workspace.copy(tmp_path / "another")
    another.environment["PYTHONPATH"] = str(ROOT)
    workspace.tidegate("collect")
    shutil.copyfile(workspace / "data.dvc", another / "data.dvc")
    (tmp_path / "exports/a.csv").write_text("at,id,back\n2024-01-03,3,\n")
    workspace.tidegate("collect")
    (tmp_path / "exports/a.csv").write_text("at,id,back\n2024-01-04,4,\n")
    another.tidegate("collect")  # its own data.dvc is two versions behind, and its data was never there
    assert (ids(workspace), ids(another)) == (["1", "2", "3"], ["1", "2", "3", "4"])
    assert len(list((tmp_path / "store/tidegate/versions").iterdir())) == 3


def test_secrets_of_config_local_are_used_and_not_shown(workspace: Workspace) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        workspace.environment.pop(name, None)
    with s3("bucket") as endpoint:
        workspace.run("dvc", "remote", "add", "--quiet", "--default", "store", "s3://bucket/x")
        workspace.run("dvc", "remote", "modify", "store", "endpointurl", endpoint)
        line = one_line(workspace, "collect")
        assert "the DVC remote s3://bucket/x: expected an answer, found Unable to locate credentials" in line
        for name, value in {"access_key_id": "AKIAOFTHETESTS", "secret_access_key": "the/secret+of=it"}.items():
            workspace.run("dvc", "remote", "modify", "--local", "store", name, value)
        assert "2 new rows" in workspace.tidegate("collect").stdout
        workspace.run("dvc", "remote", "modify", "store", "endpointurl", "http://127.0.0.1:1")
        line = one_line(workspace, "collect")
        assert "Could not connect" in line and "AKIAOFTHETESTS" not in line and "the/secret" not in line


def test_without_a_source_it_says_so(workspace: Workspace) -> None:
    lines = [line for line in CONTRACT.splitlines(keepends=True) if "source" not in line]
    (workspace / "contract.yaml").write_text("".join(lines))
    assert one_line(workspace, "collect").startswith(
        "error: contract.yaml: expected a table with a `source`, found none"
    )


def test_what_the_step_says_is_the_answer(workspace: Workspace) -> None:
    assert one_line(workspace, "collect", "--until", "soon").startswith("error: until: expected a UTC time such as")
