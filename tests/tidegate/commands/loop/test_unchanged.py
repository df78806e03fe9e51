"""A workspace in which nothing happened is known without DVC; any change is looked at by DVC."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.workspaces import Workspace
from tidegate.commands.loop import unchanged, workspace
from tidegate.process import code

DATA = Path("data/a.csv")
NAMED = ("hidden", "named as a note", "named as bytecode", "ignored by DVC")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data, a link to a folder, a cache and what a run writes, as working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("data/a.csv", "params.yaml", "elsewhere/b.csv", ".dvc/config", "mlflow.db", "artifacts/x/y.json"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("one")
    Path(".dvc/cache/files/md5/ab").mkdir(parents=True)
    Path("env").mkdir()
    Path("env/pyvenv.cfg").touch()
    Path("data/linked").symlink_to("../elsewhere")
    Path("data/round").symlink_to("..")
    return tmp_path


def again(path: Path) -> None:
    """Another content of the same size, an instant later."""
    before = path.stat().st_mtime_ns
    path.write_text("two")
    os.utime(path, ns=(before + 1, before + 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda: again(DATA),
        lambda: again(Path("elsewhere/b.csv")),
        lambda: again(Path("params.yaml")),
        lambda: again(Path(".dvc/config")),
        lambda: again(Path("artifacts/x/y.json")),
        Path("data/.hidden.csv").touch,
        Path("data/registry.json").touch,
        Path("data/__pycache__").touch,
        Path(".dvcignore").touch,
        DATA.unlink,
        lambda: DATA.rename("data/c.csv"),
        Path("data/new.csv").touch,
        lambda: Path(".dvc/cache/files/md5/ab/cd").write_text("an object"),
        Path(".dvc/cache/files/md5/ab").rmdir,
    ],
    ids=["data", "linked", "params", "settings", "output", *NAMED, "removed", "renamed", "added", "cached", "dropped"],
)
def test_a_change_is_seen(change: Callable[[], object], folder: Path) -> None:
    before = unchanged.now()
    unchanged.remember(before)
    assert unchanged.up_to_date(unchanged.now())
    change()
    assert not unchanged.up_to_date(unchanged.now())


@pytest.mark.parametrize("name", ["mlflow.db", "mlartifacts/1/x", "artifacts/registry.json", ".git/index", "env/x"])
def test_what_dvc_does_not_look_at_is_no_change(name: str, folder: Path) -> None:
    before = unchanged.now()
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("three")
    assert unchanged.now() == before


def test_a_stage_that_reads_a_bucket_is_left_to_dvc(folder: Path) -> None:
    Path("dvc.lock").write_text("stages:\n  mine:\n    deps:\n    - path: s3://bucket/rates.csv\n")
    unchanged.remember(unchanged.now())
    assert not unchanged.up_to_date(unchanged.now())


def test_the_code_of_another_installation_is_a_change(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = unchanged.now()
    monkeypatch.setattr("tidegate.process.code.ROOT", folder / "data")
    assert unchanged.now() != before


def test_nothing_to_do_is_found_without_dvc_until_something_changes(
    turned_once: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = turned_once.copy(tmp_path / "here")
    assert "nothing to do" in here.tidegate("run").stdout

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("DVC was asked")

    with monkeypatch.context() as patch:
        patch.setattr(workspace, "run_dvc", refuse)
        assert "nothing to do" in here.tidegate("run").stdout
        again(here / "features.sql")
        with pytest.raises(AssertionError, match="DVC was asked"):
            here.tidegate("run")


@pytest.mark.parametrize("content", ["garbage", "[]", "{}", "\x00", '{"stamp": 1, "store": 2, "digests": 3}'])
def test_a_note_that_cannot_be_read_is_none(content: str, folder: Path) -> None:
    for file in (unchanged.FILES, unchanged.REGISTRY, code.COMPUTED):
        file.write_text(content)
    assert not unchanged.up_to_date(unchanged.now())
    assert unchanged.remembered_registry() == (False, None)
    code.write_digests()
    code.check_digest("train")
    unchanged.remember(unchanged.now())
    assert unchanged.up_to_date(unchanged.now())
