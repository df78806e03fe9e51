"""A byte of the data that changed on its way ends the run before anything is made of it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.toy import CONTRACT, MODEL, SQL, orders, rates
from tests.workspaces import PROBLEM, Workspace
from tests.worlds import once
from tidegate.commands.draft import STAGES
from tidegate.documents.formats import read_yaml
from tidegate.versions.object_cache import remove_damaged

ROOT = Path(__file__).parents[4]


def flip(path: Path) -> None:
    """Change one digit of a price, so that the file can still be read."""
    content = bytearray(path.read_bytes())
    place = content.index(b".", 500) + 1
    content[place] = ord("1") if content[place] == ord("0") else ord("0")
    path.chmod(0o644)
    path.write_bytes(content)


def objects(folder: Path, ending: str = "") -> list[Path]:
    """The files of a DVC cache or remote, the largest first; with `.dir` the lists of files."""
    found = [path for path in (folder / "files").rglob("*") if path.is_file() and path.suffix == ending]
    return sorted(found, key=lambda path: -path.stat().st_size)


@pytest.fixture(scope="session")
def _pushed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    def build(folder: Path) -> None:
        for name in PROBLEM:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        shutil.copyfile(STAGES, folder / "dvc.yaml")
        for name, text in {"contract.yaml": CONTRACT, "features.sql": SQL, "model.yaml": MODEL}.items():
            (folder / name).write_text(text)
        parameters = (folder / "params.yaml").read_text().replace('"2013-03-01"', '"2024-04-01"')
        (folder / "params.yaml").write_text(parameters)
        (folder / "data").mkdir()
        orders().to_csv(folder / "data/orders.csv", index=False)
        rates().to_csv(folder / "data/rates.csv", index=False)
        workspace = Workspace(folder)
        workspace.run("git", "init", "--quiet")
        workspace.run("dvc", "remote", "add", "--default", "store", "remote")
        workspace.run("dvc", "add", "--quiet", "data")
        workspace.run("dvc", "push", "--quiet")

    return Workspace(once(tmp_path_factory, "pushed problem", build))


@pytest.fixture
def pushed(_pushed: Workspace, tmp_path: Path) -> Workspace:
    """A problem whose data is on its remote, in its cache and in its folder."""
    return _pushed.copy(tmp_path)


@pytest.fixture
def refused(pushed: Workspace) -> Callable[..., str]:
    """Runs DVC or `tidegate run`, which must fail with nothing made; returns what it says."""

    def run(*words: str) -> str:
        found = pushed.run(*words, check=False)
        assert found.returncode, found.stdout
        assert not (pushed / "mlflow.db").exists()
        assert not list((pushed / "artifacts").glob("ingest/*"))
        return found.stdout + found.stderr

    return run


@pytest.fixture(params=["", ".dir"], ids=["file", "list of files"])
def ending(request: pytest.FixtureRequest) -> Iterator[str]:
    """What is altered."""
    yield str(request.param)


def alter(path: Path) -> None:
    if path.suffix == ".dir":  # still a list, with a file of another name
        path.chmod(0o644)
        path.write_bytes(path.read_bytes().replace(b"orders.csv", b"orders.cvs"))
    else:
        flip(path)


def test_an_altered_object_of_the_remote_is_not_fetched(
    ending: str, pushed: Workspace, refused: Callable[..., str]
) -> None:
    alter(objects(pushed / "remote", ending)[0])
    shutil.rmtree(pushed / "data")
    shutil.rmtree(pushed / ".dvc/cache")
    for _ in range(2):  # what was fetched before is no better
        told = refused("tidegate", "run")
        assert told.startswith("error: data.dvc: expected its data on the DVC remote, found ")
        assert told.count("\n") == 1
        assert not (pushed / "data").exists()


def test_an_altered_object_of_the_cache_is_not_used(
    ending: str, pushed: Workspace, refused: Callable[..., str]
) -> None:
    altered = objects(pushed / ".dvc/cache", ending)[0]
    alter(altered)
    altered.chmod(0o444)  # DVC believes such files
    shutil.rmtree(pushed / "data")
    told = refused("tidegate", "run")
    assert told.startswith("error: data.dvc: expected its data on the DVC remote, found ")
    assert not (pushed / "data").exists()


def test_data_that_dvc_took_from_an_altered_cache_is_not_ingested(
    pushed: Workspace, refused: Callable[..., str]
) -> None:
    altered = objects(pushed / ".dvc/cache")[0]
    flip(altered)
    altered.chmod(0o444)
    shutil.rmtree(pushed / "data")
    pushed.run("dvc", "checkout", "--quiet", "data.dvc")
    for words in (("dvc", "repro", "ingest"), ("tidegate", "run")):
        assert "data: expected the data of data.dvc (" in refused(*words)


def test_data_as_it_was_added_is_fetched_and_ingested(pushed: Workspace) -> None:
    (pushed / ".dvcignore").write_text("*.bak\n")
    shutil.rmtree(pushed / "data")
    shutil.rmtree(pushed / ".dvc/cache")
    pushed.tidegate("run", check=False)  # ends before training: too few rows
    (pushed / "data/orders.csv.bak").write_text("no data")
    pushed.run("dvc", "repro", "ingest")
    assert (pushed / "artifacts/ingest/manifest.json").exists()


def test_an_altered_output_in_the_cache_is_refused_and_does_not_come_back(pushed: Workspace) -> None:
    manifest = pushed / "artifacts/ingest/manifest.json"
    pushed.run("dvc", "repro", "ingest")
    written = manifest.read_text()
    (stored,) = [path for path in objects(pushed / ".dvc/cache") if path.read_bytes() == written.encode()]
    stored.chmod(0o644)
    altered = written.replace('"until": "2024-04-01"', '"until": "2024-04-02"')
    assert altered != written
    stored.write_text(altered)
    stored.chmod(0o444)
    manifest.unlink()
    pushed.run("dvc", "checkout", "--quiet", "ingest")
    assert manifest.read_text() != written
    found = pushed.run("dvc", "repro", "validate", check=False)
    assert "manifest.json: expected the document as it was written, found an altered one" in found.stderr
    lock = read_yaml(pushed / "dvc.lock")
    assert remove_damaged(pushed / ".dvc/cache", lock) == [stored]
    assert remove_damaged(pushed / ".dvc/cache", lock) == []
    pushed.run("dvc", "repro", "--force", "ingest")
    assert manifest.read_text() == written
