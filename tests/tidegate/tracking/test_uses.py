"""How often rows were used before: by other verdicts on windows that overlap, once each, whoever asks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.documents import batch_of
from tidegate.documents.batch import Batch
from tidegate.tracking import run_data
from tidegate.tracking.batch_runs import batch_run
from tidegate.tracking.store import connect
from tidegate.tracking.uses import earlier_verdicts, noted

march = batch_of(id="a" * 16)
again = batch_of(id="b" * 16)
april = batch_of(id="c" * 16, start="2013-04-01T00:00:00", end="2013-04-29T00:00:00")
middle = batch_of(id="d" * 16, start="2013-03-20T00:00:00", end="2013-04-17T00:00:00")


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture
def client(uri: str, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return connect()


@pytest.fixture
def use(client: MlflowClient, tmp_path: Path) -> Callable[[str, Batch], int]:
    """Counts the earlier verdicts of one, then notes it; each test has a problem of its own."""

    def used(key: str, batch: Batch) -> int:
        earlier = earlier_verdicts(client, tmp_path.name, key, batch)
        run = batch_run(client, tmp_path.name, batch.id, {"tidegate.until": batch.end[:10]})
        run_data.values(client, run, tags=noted(key, batch, earlier))
        return earlier

    return used


def test_other_verdicts_on_the_same_rows_count_whatever_their_batch(use: Callable[..., int]) -> None:
    assert use("one", march) == 0
    assert use("two", march) == 1
    assert use("three", again) == 2


def test_asked_again_a_verdict_is_told_what_it_was_told(use: Callable[..., int]) -> None:
    assert [use(key, march) for key in ("one", "two", "one", "two")] == [0, 1, 0, 1]


def test_windows_count_when_they_overlap(use: Callable[..., int]) -> None:
    assert use("one", march) == 0
    assert use("two", april) == 0  # it begins where the other ends
    assert use("three", middle) == 2


def test_verdicts_from_before_there_were_notes_count(
    client: MlflowClient, use: Callable[..., int], tmp_path: Path
) -> None:
    for batch, until in ((march, "2013-04-01"), (april, "2013-04-29")):
        run = batch_run(client, tmp_path.name, batch.id, {"tidegate.until": until})
        run_data.values(client, run, tags={"tidegate.verdict": "refused"})
    assert use("three", again) == 1
    assert use("four", middle) == 2  # the note of three, and the old one of march; april ends after it


def test_other_problems_do_not_count(use: Callable[..., int], client: MlflowClient) -> None:
    assert use("one", march) == 0
    assert earlier_verdicts(client, "another problem", "two", march) == 0
