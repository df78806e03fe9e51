"""Which version serves: the champion of the journal, as soon as it is checked; else the one before."""

import asyncio
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.tidegate.serving.conftest import EVENT, FEATURES, Server
from tidegate.process.errors import ModelError
from tidegate.serving import metrics
from tidegate.serving.champion_model import Question
from tidegate.serving.predictor import predictor
from tidegate.serving.rows import Rows

if TYPE_CHECKING:
    from tests.toy import World


def version(server: Server) -> Any:
    said = server.predict(FEATURES)
    return said.document["model_version"] if said.status == 200 else said.status


def test_before_a_first_champion_it_lives_and_is_not_ready(stored: "World") -> None:
    server = Server(stored)
    assert not server.model.load()
    assert server.lines == ["toy has no champion yet: `tidegate run` trains the first"]
    assert server.ask("/v2/health/live", method="GET").status == 200
    for path in ("/v2/health/ready", "/v1/models/toy", "/v2/models/toy/ready", "/v2/models/toy"):
        said = server.ask(path, method="GET")
        assert (said.status, [*said.document]) == (503, ["error"]), path
    said = server.predict(FEATURES)
    assert (said.status, said.headers["retry-after"]) == (503, "1")
    assert said.document == {"error": "toy: expected a model that is ready, found none yet"}
    assert server.ask("/openapi.json", method="GET").status == 200
    stored.run("gate", "train", "evaluate", "deploy")
    assert server.model.load()
    assert version(server) == "1"
    assert server.lines[1:] == ["version 1 serves"]


def test_a_new_champion_takes_over(judged: "World") -> None:
    server, swaps = Server(judged), metrics.SWAPS._value.get()
    server.model.load()
    before = server.predict(EVENT).document
    judged.run("deploy")
    assert server.predict(EVENT).document == before
    server.model.load()
    after = server.predict(EVENT).document
    assert (before["model_version"], after["model_version"]) == ("1", "2")
    assert before["predictions"] != after["predictions"]
    assert server.lines == ["version 1 serves", "version 2 serves, after version 1"]
    assert metrics.SWAPS._value.get() == swaps + 1


def test_a_pinned_server_serves_its_version_whoever_is_champion(judged: "World") -> None:
    server = Server(judged)
    server.follower.pinned = "2"
    assert not server.model.load()
    assert server.lines[0].startswith("version 2 is refused: toy version 2: expected a registered version, found none")
    judged.run("deploy", approval="manual")
    server = Server(judged)
    server.follower.pinned = "2"
    assert server.model.load()
    assert version(server) == "2"
    assert server.lines == ["version 2 serves"]
    server.follower.pinned = "1"
    assert server.model.load()
    assert version(server) == "1"


def test_a_damaged_champion_is_refused_and_the_one_before_goes_on(
    judged: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    server, refused = Server(judged), metrics.REFUSED._value.get()
    server.model.load()
    judged.run("deploy")
    newest = max((judged / "mlartifacts").rglob("version.zip"), key=lambda path: path.stat().st_mtime)
    whole = newest.read_bytes()
    newest.write_bytes(whole[:-100])
    for _ in range(2):
        server.model.load()
    assert version(server) == "1"
    assert len(server.lines) == 2  # it is not fetched at each look
    assert server.lines[1].startswith("version 2 is refused; version 1 goes on: toy version 2: expected version.zip")
    assert metrics.REFUSED._value.get() == refused + 1
    newest.write_bytes(whole)
    monkeypatch.setattr("tidegate.process.limits.REFUSED_SECONDS", 0)
    server.model.load()
    assert version(server) == "2"


def test_a_version_that_nobody_trusted_has_signed_is_refused(released: "World") -> None:
    server = Server(released)
    server.follower.trusted = ("ed25519:" + "A" * 43 + "=",)
    server.model.load()
    assert version(server) == 503
    assert "version 1 is refused: toy version 1: expected a signature by a key of deploy.sign" in server.lines[0]


def test_a_store_that_is_away_stops_nothing(released: "World") -> None:
    server = Server(released)
    server.model.load()
    store = released / "mlflow.db"
    whole = store.read_bytes()
    store.write_bytes(b"x" * len(whole))
    for _ in range(2):
        assert server.model.load()
    assert version(server) == "1"
    assert len(server.lines) == 2
    store.write_bytes(whole)
    assert server.model.load()
    assert len(server.lines) == 2


def test_golden_rows_that_it_predicts_otherwise_are_refused(server: Server) -> None:
    champion = server.model.current().champion
    changed = champion.reference.assign(prediction=champion.reference["prediction"] + 1e-9)
    with pytest.raises(
        ModelError, match=r"expected the predictions that it gave in training, found others of 756 of 756"
    ):
        predictor(replace(champion, reference=changed), None, "accept", 1000)
    assert predictor(champion, None, "accept", 1000).version == "1"


def test_tables_are_read_again_when_they_change(released: "World") -> None:
    server = Server(released)
    server.model.load()
    before = server.predict(EVENT).document
    rates = released.table("clean/rates").assign(rate=0.25)
    rates.to_parquet(released / "clean/rates.parquet")
    server.model.load()
    after = server.predict(EVENT).document
    expected = server.predict({"shop": EVENT["shop"], "price": EVENT["price"], "rate": 0.25}).document
    assert after == expected
    assert before["model_version"] == after["model_version"] == "1"
    server.model.load()
    assert server.lines == ["version 1 serves", "version 1 serves, with other tables"]


def test_without_tables_it_answers_features_by_name(released: "World", tmp_path: Path) -> None:
    place = tmp_path / "later"
    server = Server(released, tables=str(place))
    server.model.load()
    assert server.lines[0].startswith(
        f"{place}: expected clean tables, found nothing; name the clean tables in serve."
    )
    said = server.predict(EVENT)
    assert said.document == {"error": "instances: expected features by name, found events (there are no tables)"}
    assert version(server) == "1"
    shutil.copytree(released / "clean", place)
    server.model.load()
    assert server.predict(EVENT).status == 200
    shutil.rmtree(place)
    server.model.load()
    assert server.predict(EVENT).status == 200


def test_tables_that_the_sql_cannot_read_are_refused(released: "World") -> None:
    server = Server(released)
    server.model.load()
    rates = released.table("clean/rates")
    rates.rename(columns={"rate": "fare"}).to_parquet(released / "clean/rates.parquet")
    server.model.load()
    assert server.predict(EVENT).status == 200
    assert server.lines[1].startswith(
        "version 1 is refused; version 1 goes on: toy version 1: expected features of the"
    )


def test_no_answer_is_mixed_while_versions_change(judged: "World") -> None:
    server = Server(judged)
    server.model.load()
    first = server.model.current()
    judged.run("deploy")
    server.model.load()
    both = {"1": first, "2": server.model.current()}
    rows = Rows("features", {"shop": ["north", "south"], "price": [44.5, 20.0], "rate": [1.0, None]})
    expected = {name: np.asarray(each.predict(rows.columns)).tolist() for name, each in both.items()}
    assert expected["1"] != expected["2"]
    ended = threading.Event()

    def change() -> None:
        while not ended.is_set():
            for each in both.values():
                server.follower.current = each

    async def ask() -> set[str]:
        found = [server.model.predict(Question(rows, server.model.current())) for _ in range(20)]
        answers = await asyncio.gather(*found)
        assert all(answer.values == expected[answer.version] for answer in answers)
        return {answer.version for answer in answers}

    changing = threading.Thread(target=change)
    changing.start()
    try:
        seen = {name for _ in range(10) for name in asyncio.run(ask())}
    finally:
        ended.set()
        changing.join()
    assert seen == {"1", "2"}
