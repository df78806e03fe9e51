"""`tidegate run --until` writes params.yaml only when all that can be checked without it holds."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.workspaces import Workspace
from tidegate.commands.loop import collection
from tidegate.process.errors import InputError

NewWorkspace = Callable[[Path], Workspace]


@contextmanager
def locked(workspace: Workspace) -> Iterator[None]:
    """Somebody else runs DVC here."""
    path = workspace / ".dvc/tmp/lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def edit_data(workspace: Workspace) -> None:
    path = workspace / "data/planes.csv"
    path.chmod(0o644)
    path.write_text(path.read_text() + "N99999,2001,,,,,,,\n")


def edit_parameters(workspace: Workspace) -> None:
    path = workspace / "params.yaml"
    path.write_text(path.read_text().replace("max_bad_share: 0.01", "max_bad_share: 7"))


def break_stages(workspace: Workspace) -> None:
    (workspace / "dvc.yaml").write_text("stages: [\n")


@pytest.mark.parametrize(
    ("until", "spoil", "told"),
    [
        ("20130301", None, "--until: expected a moment in UTC such as 2013-03-01, found '20130301'; correct it"),
        ("2013-13-01", None, "--until: expected a UTC time"),
        ('2013-03-01"\n  x: "$(touch owned)', None, "--until: expected a UTC time"),
        ("2013-04-01", edit_data, "data: expected the data of data.dvc, found other files"),
        ("2013-04-01", edit_parameters, "validate.max_bad_share"),
        ("2013-04-01", break_stages, "dvc.yaml"),
        ("2013-04-01", locked, "expected no other run, found a process that holds .dvc/tmp/lock"),
    ],
)
def test_what_is_refused_leaves_params_yaml_as_it_is(
    until: str, spoil: Callable[[Workspace], object] | None, told: str, new_workspace: NewWorkspace, tmp_path: Path
) -> None:
    workspace = new_workspace(tmp_path)
    held = locked(workspace) if spoil is locked else nullcontext()
    if spoil and spoil is not locked:
        spoil(workspace)
    before = (workspace / "params.yaml").read_bytes()
    with held:
        found = workspace.run("tidegate", "run", "--until", until, check=False)
    assert found.returncode == 2 and found.stderr.startswith("error: ") and told in found.stderr
    assert (workspace / "params.yaml").read_bytes() == before
    assert not (workspace / "artifacts").exists() and not (workspace / "owned").exists()


def test_a_collected_version_that_cannot_be_laid_out_leaves_data_dvc(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.run("dvc", "init", "--quiet", "--no-scm")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("a\n")
    workspace.run("dvc", "add", "--quiet", "data")
    before = (tmp_path / "data.dvc").read_text()
    after = before.replace("md5: ", "md5: 0", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        with pytest.raises(InputError):
            collection._adopt(before, after)
    assert (tmp_path / "data.dvc").read_text() == before
