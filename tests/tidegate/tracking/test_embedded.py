"""The reader of the embedded store gives the answers of MLflow's client, of what the commands use of them."""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from tests.worlds import once
from tidegate.process import limits
from tidegate.process.errors import TrackingError
from tidegate.tracking import artifacts, batch_runs, database, embedded, numbered, store
from tidegate.tracking.embedded import Embedded

# SQL, MLflow's search syntax and its patterns have a use for most of these letters.
ODD = 'Überprüfung "x" \\ 100%_` — 試'
QUOTED = "o'hare; DROP TABLE runs"
TAGS = {"tidegate.batch": "ab12", "odd": ODD, "empty": "", "kfp.pipeline_run_id": "x AND name = y"}
Call = Callable[[Any], Any]


def build(path: Path) -> None:
    """Experiments, runs and registered models of all kinds, some of them deleted."""
    client = MlflowClient(f"sqlite:///{path}")
    for name in ("flights", ODD, QUOTED, "deleted"):
        experiment = client.create_experiment(name, artifact_location=str(path.parent / "mlartifacts"))
        for number, tags in enumerate((TAGS, {"tidegate.batch": ""}, {}, TAGS)):
            run_id = client.create_run(experiment, start_time=1 + number % 2, tags=tags).info.run_id
            values = [("loss", 0.25, 0), ("loss", 0.125, 1), ("nan", float("nan"), 0), ("most", float("inf"), 0)]
            metrics = [Metric(key, value, 1, step) for key, value, step in values if number == 0]
            client.log_batch(run_id, metrics, [Param("rows", "12"), Param("odd", ODD)], [RunTag("late", name)])
        client.delete_run(client.create_run(experiment, tags=TAGS).info.run_id)
    client.delete_experiment(experiment)  # the last one
    for name in ("flights", "Flights", "flights.journal", ODD.replace("%", "")):
        client.create_registered_model(name, tags={"tidegate.journal": "11", "odd": ODD})
        for number in range(11):
            tags = {"tidegate.batch": f"{number % 2}", "odd": ODD, "empty": ""}
            client.create_model_version(name, f"/place/{number}", run_id if number else None, tags)
        client.delete_model_version(name, "4")
        client.set_registered_model_alias(name, "champion", "3")
    client.register_prompt("prompts", "Say {{it}}.")
    client.create_registered_model("empty")


@pytest.fixture(scope="module")
def path(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all that; to be read."""

    def fill(folder: Path) -> None:
        build(Path(shutil.copy(migrated, folder / "mlflow.db")))

    return once(tmp_path_factory, "embedded", fill) / "mlflow.db"


@pytest.fixture
def client(path: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{path}")


@pytest.fixture
def reader(path: Path) -> Embedded:
    return Embedded(path, lambda: pytest.fail("MLflow was asked"))


def told(answer: Any, kind: Any) -> Any:
    """What the reader's class `kind` has of an answer, as plain values."""
    if is_dataclass(kind):
        return {each.name: told(getattr(answer, each.name), KINDS.get(each.name)) for each in fields(kind)}
    # A number that is none equals nothing.
    return {key: str(value) for key, value in answer.items()} if isinstance(answer, Mapping) else answer


KINDS = {"info": embedded.RunInfo, "data": embedded.RunData}


def all_of(kind: type, page: Iterable[Any]) -> list[Any]:
    return [told(each, kind) for each in page]


def pages(search: Callable[[str | None], Any]) -> list[Any]:
    """The items of all pages."""
    found = list(page := search(None))
    while page.token:
        found += (page := search(page.token))
    return found


def test_the_experiments_are_those_of_mlflow(client: MlflowClient, reader: Embedded) -> None:
    one, other = (
        all_of(embedded.Experiment, pages(lambda token, it=it: it.search_experiments(page_token=token)))  # type: ignore[misc]
        for it in (client, reader)
    )
    assert one == other
    assert {each["name"] for each in one} == {"Default", "flights", ODD, QUOTED}


@pytest.mark.parametrize("name", ["flights", "Flights", "deleted", ODD, QUOTED])
def test_an_experiment_is_found_by_its_name(name: str, client: MlflowClient, reader: Embedded) -> None:
    found, expected = reader.get_experiment_by_name(name), client.get_experiment_by_name(name)
    assert (found is None) == (expected is None) == (name == "Flights")
    if found and expected:
        assert told(found, embedded.Experiment) == told(expected, embedded.Experiment)


def test_a_deleted_experiment_is_told_in_the_words_of_any_other(client: MlflowClient, reader: Embedded) -> None:
    words = []
    for each in (client, reader):
        with pytest.raises(TrackingError) as caught:
            batch_runs.batches(each, "deleted")
        words.append(str(caught.value))
    assert words[0] == words[1]
    assert "one that is not deleted" in words[0]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 12),
        ("tags.`tidegate.batch` != ''", 6),
        ("tags.`tidegate.batch` = 'ab12'", 6),
        ("tags.`tidegate.batch` = 'AB12'", 0),
        ("tags.`tidegate.batch` = 'ab1_'", 0),
        ("tags.`tidegate.batch` != '' AND tags.`late` = 'flights'", 2),
        (f"tags.`odd` = '{ODD}' AND tags.`tidegate.batch` != ''", 6),
        ("tags.`empty` != ''", 0),
        ("tags.`kfp.pipeline_run_id` = 'x AND name = y' AND tags.`tidegate.batch` != ''", 6),
        ("tags.`absent` != ''", 0),
    ],
)
def test_the_runs_are_those_of_mlflow(query: str, count: int, client: MlflowClient, reader: Embedded) -> None:
    among = [each.experiment_id for each in client.search_experiments()]
    expected = pages(lambda token: client.search_runs(among, query, max_results=5, page_token=token))
    found = reader.search_runs(among, query, page_token=None)
    assert all_of(embedded.Run, found) == all_of(embedded.Run, expected)
    assert len(found) == count
    for each in found:
        assert told(reader.get_run(each.info.run_id), embedded.Run) == told(each, embedded.Run)


def test_only_the_runs_of_the_given_experiments_are_found(client: MlflowClient, reader: Embedded) -> None:
    for name in ("flights", ODD, "deleted"):
        experiment = client.get_experiment_by_name(name)
        among = [str(experiment and experiment.experiment_id)]
        expected = all_of(embedded.Run, client.search_runs(among, ""))
        assert all_of(embedded.Run, reader.search_runs(among, "")) == expected
        assert len(expected) == (0 if name == "deleted" else 4)


def test_a_deleted_run_is_found_by_its_id(client: MlflowClient, reader: Embedded) -> None:
    with closing(sqlite3.connect(client.tracking_uri.removeprefix("sqlite:///"))) as connection:
        ids = connection.execute("SELECT run_uuid FROM runs WHERE lifecycle_stage = 'deleted'").fetchall()
    assert len(ids) == 8
    for (run_id,) in ids:
        assert told(reader.get_run(run_id), embedded.Run) == told(client.get_run(run_id), embedded.Run)


@pytest.mark.parametrize("name", ["flights", "Flights", "FLIGHTS", "prompts", "empty", ODD.replace("%", "")])
def test_a_registered_model_is_that_of_mlflow(name: str, client: MlflowClient, reader: Embedded) -> None:
    query = f"name = '{name}'"
    expected = all_of(embedded.RegisteredModel, client.search_registered_models(query, max_results=1))
    assert all_of(embedded.RegisteredModel, reader.search_registered_models(query, max_results=1)) == expected
    assert len(expected) == (name not in ("FLIGHTS", "prompts"))


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("name = 'flights'", [1, 2, 3, 5, 6, 7, 8, 9, 10, 11]),
        (f"name = '{ODD.replace('%', '')}' AND tags.`odd` = '{ODD}'", [1, 2, 3, 5, 6, 7, 8, 9, 10, 11]),
        ("name = 'flights' AND tags.`tidegate.batch` = '1'", [2, 6, 8, 10]),
        ("name = 'flights' AND tags.`tidegate.batch` = '1' AND tags.`empty` = ''", [2, 6, 8, 10]),
        ("name = 'flights' AND tags.`absent` = '1'", []),
        ("name = 'FLIGHTS'", []),
        ("name = 'empty'", []),
        ("name = 'prompts'", []),
    ],
)
def test_the_versions_are_those_of_mlflow(
    query: str, numbers: list[int], client: MlflowClient, reader: Embedded
) -> None:
    order = ["version_number ASC"]
    expected = pages(lambda token: client.search_model_versions(query, 3, order, token))
    found = reader.search_model_versions(query, numbered.PAGE, order)
    assert all_of(embedded.ModelVersion, found) == all_of(embedded.ModelVersion, expected)
    assert [int(each.version) for each in found] == numbers


@pytest.mark.parametrize(("name", "version"), [("flights", "1"), ("Flights", "11"), (ODD.replace("%", ""), "3")])
def test_a_version_is_found_by_its_number(name: str, version: str, client: MlflowClient, reader: Embedded) -> None:
    expected = told(client.get_model_version(name, version), embedded.ModelVersion)
    assert told(reader.get_model_version(name, version), embedded.ModelVersion) == expected


def outcome(ask: Callable[[], object]) -> tuple[type, str]:
    """What comes of a question, with the words of an error."""
    try:
        return type(None), repr(ask())
    except (MlflowException, OSError) as error:
        return type(error), str(error)


@pytest.mark.parametrize(
    "ask",
    [
        lambda it: it.get_model_version("flights", "4"),
        lambda it: it.get_model_version("flights", "99"),
        lambda it: it.get_model_version("flights", "0"),
        lambda it: it.get_model_version("flights", "-1"),
        lambda it: it.get_model_version("flights", "first"),
        lambda it: it.get_model_version("flights", "9" * 30),
        lambda it: it.get_model_version("absent", "1"),
        lambda it: it.get_model_version("prompts", "1"),
        lambda it: it.get_model_version("", "1"),
        lambda it: it.get_run("absent"),
        lambda it: it.get_run(""),
    ],
)
def test_mlflow_itself_says_what_is_not_there(ask: Call, client: MlflowClient, path: Path) -> None:
    expected = outcome(lambda: ask(client))
    assert outcome(lambda: ask(Embedded(path, lambda: client))) == expected
    assert expected[0] is MlflowException


@pytest.mark.parametrize(
    "file", ["a.txt", "b/c.txt", "absent", "a.txt/b", "b", "link", "b/../a.txt", "../mlflow.db", "/a.txt"]
)
@pytest.mark.parametrize("folder", ["plain", "with space", "a # b?c=d", "100% # ä", "%41"])
def test_a_file_is_read_as_mlflow_reads_it(folder: str, file: str, tmp_path: Path, path: Path) -> None:
    place = tmp_path / folder
    (place / "b").mkdir(parents=True)
    (tmp_path / "mlflow.db").write_text("outside")
    (place / "a.txt").write_text("a")
    (place / "b/c.txt").write_text("c")
    (place / "link").symlink_to(tmp_path / "mlflow.db")
    reader = Embedded(path, lambda: MlflowClient(f"sqlite:///{path}"))
    expected = outcome(lambda: artifacts._read(get_artifact_repository(str(place)), file))
    assert outcome(lambda: artifacts.read(reader, str(place), file)) == expected


def test_a_condition_of_another_form_is_refused(reader: Embedded) -> None:
    for query in ("status = 'FINISHED'", "name LIKE 'a%'", "name = 'a' OR name = 'b'", "tags.`a` = 'b' "):
        with pytest.raises(ValueError, match="no condition known here"):
            reader.search_runs(["1"], query)


def test_the_tables_of_the_installed_mlflow_are_known_here(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    assert database.newest_revision() == embedded.REVISION, "compare its tables with the queries of `Embedded`"
    assert isinstance(store.reader(), Embedded)


def test_a_database_that_is_missing_or_of_another_revision_is_mlflow_s(
    migrated: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    assert isinstance(store.reader(), MlflowClient)
    assert (tmp_path / "mlflow.db").exists()
    assert isinstance(store.reader(), Embedded)
    monkeypatch.setattr(embedded, "REVISION", "of another release")
    assert isinstance(store.reader(), MlflowClient)


def test_workspaces_of_mlflow_are_mlflow_s(migrated: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = Path(shutil.copy(migrated, tmp_path / "mlflow.db"))
    monkeypatch.setenv(embedded.WORKSPACES, "true")
    assert not embedded.reads(path)
    monkeypatch.delenv(embedded.WORKSPACES)
    assert embedded.reads(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO experiments (name, workspace) VALUES ('flights', 'of another team')")
    assert not embedded.reads(path)


def test_a_locked_database_is_told_in_the_words_of_any_other(
    migrated: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = Path(shutil.copy(migrated, tmp_path / "mlflow.db"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    monkeypatch.setattr(limits, "DATABASE_SECONDS", 0.1)
    readers = store.reader(), store.connect()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        words = []
        for each in readers:
            with pytest.raises(TrackingError) as caught:
                batch_runs.batches(each, "flights")
            words.append(str(caught.value))
    assert words[0] == words[1]
    assert "a database that another process has locked" in words[0]


def test_a_damaged_database_is_told_in_one_line(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    damaged = Path(shutil.copy(path, tmp_path / "mlflow.db"))
    reader = Embedded(damaged, lambda: pytest.fail("MLflow was asked"))
    with damaged.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (damaged.stat().st_size - 8192))
    with pytest.raises(TrackingError, match="a damaged database"):
        batch_runs.batches(reader, "flights")
