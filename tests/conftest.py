"""Workspaces for whole-suite tests: this repository with a slice of the sample, in a folder of its own."""

import inspect
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import pytest

from pipelines.sample import copy_sample
from tests import images
from tests.workspaces import Workspace

root = Path(__file__).parents[1]
# kfp asks for its caller's name at every setting of a task, by the source text of the whole stack: below a test that
# is deep, and with all that is imported here a pipeline took seconds to compile. Names alone are as good.
inspect.stack = partial(inspect.stack, 0)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's raw files, whole."""
    folder = tmp_path_factory.mktemp("sample") / "data"
    copy_sample(folder)
    return folder


@pytest.fixture(scope="session")
def sample_slice(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every fourth flight number of January to June, the weather of those months, all aircraft."""
    folder = tmp_path_factory.mktemp("slice") / "data"
    folder.mkdir()
    shutil.copyfile(sample / "planes.csv", folder / "planes.csv")
    with duckdb.connect() as connection:
        for name, rows in {
            "flights": "month::INTEGER <= 6 AND flight::INTEGER % 4 = 0",
            "weather": "month::INTEGER <= 6",
        }.items():
            connection.execute(
                f"COPY (SELECT * FROM read_csv('{sample / name}.csv', all_varchar = true, header = true) "
                f"WHERE {rows}) TO '{folder / name}.csv' (HEADER, NULLSTR 'NA')"
            )
    return folder


@pytest.fixture(scope="session")
def new_workspace(sample_slice: Path) -> Callable[[Path], Workspace]:
    """Makes a workspace: the files of this repository, committed, with the slice as its data."""

    def make(folder: Path) -> Workspace:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\n")
        for name in filter(None, listed):
            if (root / name).is_file() and not name.startswith("tests/"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, folder / name)
        (folder / "dvc.lock").unlink(missing_ok=True)
        shutil.copytree(sample_slice, folder / "data")
        workspace = Workspace(folder)
        workspace.run("git", "init", "--quiet")
        workspace.run("dvc", "add", "--quiet", "data")
        workspace.run("git", "add", "--all")
        workspace.run("git", "commit", "--quiet", "--message", "Begin")
        return workspace

    return make


@pytest.fixture(scope="session")
def walked(new_workspace: Callable[[Path], Workspace], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace after three turns of the loop: February, March, June; read it, copy it, leave it as it is."""
    workspace = new_workspace(tmp_path_factory.mktemp("walked"))
    for until in ("2013-03-01", "2013-04-01", "2013-07-01"):
        workspace.tidegate("run", "--until", until)
        workspace.run("git", "add", "--all")
        workspace.run("git", "commit", "--quiet", "--message", f"Run until {until}")
    return workspace


@pytest.fixture
def workspace(walked: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the walked workspace to do things to."""
    return walked.copy(tmp_path / "workspace")


@pytest.fixture(scope="session")
def image() -> str:
    """The image of the steps, built from these files."""
    return images.build()
