"""What was asked and answered is kept: whole files beside the requests, which no store can disturb."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.servers.programs import s3, silent
from tests.tidegate.serving.conftest import EVENT, FEATURES, Server
from tests.tidegate.serving.test_grpc import ask, request
from tests.tidegate.serving.test_tables import at
from tidegate.documents.parameters import defaults
from tidegate.process import limits
from tidegate.process.errors import InputError
from tidegate.serving import metrics, recorded_prediction
from tidegate.serving.champion_model import Question
from tidegate.serving.options import settings
from tidegate.serving.recorded_prediction import Prediction
from tidegate.serving.recorder import Recorder
from tidegate.serving.recordings import dropped
from tidegate.serving.rows import Rows

if TYPE_CHECKING:
    from tests.toy import World

Serve = Callable[..., Server]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder for predictions, which is not there yet."""
    return tmp_path / "asked"


def of(server: Server) -> Recorder:
    assert server.model.recorder is not None
    return server.model.recorder


def recorded(place: Path | str) -> pd.DataFrame:
    """The rows that a user of DuckDB finds."""
    files = f"read_parquet('{place}/**/*.parquet', union_by_name=true, hive_partitioning=true)"
    return duckdb.execute(f"SELECT * FROM {files} ORDER BY time, request, row").df()


def said_dropped(place: Path) -> list[int]:
    """What each file says of the rows that are not recorded before it."""
    return [dropped(pq.read_table(path)) for path in place.rglob("*.parquet")]


class Counted:
    """How many rows were written and dropped since it was made."""

    def __init__(self) -> None:
        self._before = self._now()

    def _now(self) -> tuple[float, float]:
        return metrics.RECORDED._value.get(), metrics.DROPPED._value.get()

    @property
    def rows(self) -> tuple[float, float]:
        """Written, dropped."""
        return tuple(now - before for now, before in zip(self._now(), self._before, strict=True))  # type: ignore[return-value]


def test_an_event_and_features_with_what_the_model_saw(serve: Serve, kept: Path) -> None:
    server, counted, begin = serve(record=str(kept)), Counted(), datetime.now(UTC).replace(tzinfo=None)
    event = server.ask("/v1/models/toy:predict", {"instances": [EVENT]}, x_request_id="mine").document
    features = server.predict(FEATURES, {**FEATURES, "rate": None}).document
    assert not kept.exists()
    of(server).flush()
    assert counted.rows == (3, 0)
    found = recorded(kept)
    assert [*found] == [
        *("request", "row", "time", "version", "kind", "key_at", "key_id"),
        *("feature_shop", "feature_price", "feature_rate", "prediction", "hour"),
    ]
    assert found["kind"].tolist() == ["event", "features", "features"]
    assert found["row"].tolist() == [0, 0, 1]
    assert found["request"].nunique() == 2 and found["request"][0] == "mine"
    assert found["version"].tolist() == ["1"] * 3
    assert found["prediction"].tolist() == event["predictions"] + features["predictions"]
    assert found["key_id"].fillna(0).tolist() == [EVENT["id"], 0, 0]
    assert found["key_at"].tolist()[0] == pd.Timestamp(str(EVENT["at"]))
    assert found["feature_shop"].tolist() == ["north", "south", "south"]
    again = {name: found[f"feature_{name}"][0] for name in ("shop", "price", "rate")}
    assert server.predict(again).document["predictions"] == event["predictions"]
    assert found["time"].between(begin, datetime.now(UTC).replace(tzinfo=None)).all()
    assert (found["hour"] == found["time"].dt.strftime("%Y-%m-%dT%H")).all()


def test_the_name_of_a_request_in_v2_is_its_id(serve: Serve, kept: Path) -> None:
    server = serve(record=str(kept))
    said = server.infer(shop=("BYTES", ["south"]), price=("FP64", [20.5]), rate=("FP64", [None]))
    assert said.status == 200
    of(server).flush()
    assert recorded(kept)["request"].tolist() == ["7"]


def test_over_grpc_too(serve: Serve, kept: Path) -> None:
    server = serve(record=str(kept))
    (answer,) = ask(server, request(id="8"))
    of(server).flush()
    found = recorded(kept)
    assert found["request"].tolist() == ["8"]
    assert found["prediction"].tolist() == [*answer.outputs[0].contents.fp64_contents]


@pytest.mark.parametrize("given", ["", "x" * 201, "a\nb", "\ud800"])
def test_an_id_that_cannot_be_kept_is_replaced(given: str) -> None:
    made = [recorded_prediction.request_id({"x-request-id": given}) for _ in range(2)]
    assert all(re.fullmatch("[0-9a-f]{32}", id_) for id_ in made) and made[0] != made[1]


def test_late_labels_are_joined_by_key_and_time(serve: Serve, released: "World", kept: Path) -> None:
    server = serve(record=str(kept))
    orders = released.table("clean/orders").tail(50)
    names = [*server.model.current().form.event]
    asked = [
        {name: None if pd.isna(row[name]) else row[name] for name in names} | {"at": row["at"].isoformat()}
        for row in orders[names].to_dict("records")
    ]
    answered = server.predict(*asked).document["predictions"]
    of(server).flush()
    joined = duckdb.execute(
        f"""
        SELECT id, prediction, kept_days
        FROM read_parquet('{kept}/**/*.parquet', union_by_name=true, hive_partitioning=true)
        JOIN '{released / "clean/orders.parquet"}' AS orders ON key_id = id AND key_at = orders."at"
        """
    ).df()
    expected = orders.assign(prediction=answered)[["id", "prediction", "kept_days"]]
    pd.testing.assert_frame_equal(
        joined.sort_values("id", ignore_index=True), expected.sort_values("id", ignore_index=True), check_dtype=False
    )


def test_a_file_holds_one_version_and_one_hour(judged: "World", kept: Path) -> None:
    server = Server(judged, record=str(kept))
    server.model.load()
    first = server.model.current().champion
    server.predict(FEATURES)
    judged.run("deploy")
    server.model.load()
    server.predict(FEATURES, FEATURES)
    now = datetime(2013, 3, 1, 5, 59, 59)
    for later in (0, 1):
        of(server).add(made(first, now + timedelta(seconds=later)))
    of(server).flush()
    files = sorted(kept.rglob("*.parquet"))
    assert sorted(pq.read_metadata(file).num_rows for file in files) == [1, 1, 1, 2]
    assert [file.parent.name for file in files[:2]] == ["hour=2013-03-01T05", "hour=2013-03-01T06"]
    assert sorted(recorded(kept)["version"]) == ["1", "1", "1", "2", "2"]
    assert [*kept.rglob(".*")] == []


def made(champion: Any, time: datetime = datetime(2013, 3, 1, 6)) -> Prediction:
    features = {name: [value] for name, value in FEATURES.items()}
    return Prediction("id", time, champion, "features", {}, features, np.array([0.25]))


def test_no_private_column_is_written(server: Server) -> None:
    champion = server.model.current().champion
    tables, own = champion.contract.tables, champion.contract.tables["orders"]
    columns = {**own.columns, "id": replace(own.columns["id"], role="private")}
    contract = replace(champion.contract, tables={**tables, "orders": replace(own, columns=columns)})
    seen = replace(champion.record, features={"price": "number", "Customer": "category"})
    changed = replace(champion, contract=contract, record=seen)
    assert not {"key_id", "feature_Customer"} & {*recorded_prediction.schema(changed).names}
    event: dict[str, list[Any]] = {"at": [datetime(2024, 3, 1)], "id": [4711]}
    asked = Prediction(
        "id",
        datetime(2024, 3, 1),
        changed,
        "event",
        event,
        {"price": [1.5], "Customer": ["secret-7"]},
        np.array([0.5]),
    )
    found = pq.read_table(pa.BufferReader(recorded_prediction.content([asked]))).to_pylist()
    assert found == [
        {
            **{"request": "id", "row": 0, "time": datetime(2024, 3, 1), "version": "1", "kind": "event"},
            **{"key_at": datetime(2024, 3, 1), "feature_price": 1.5, "prediction": 0.5},
        }
    ]


def test_of_many_classes_the_class_and_its_probabilities(server: Server, kept: Path) -> None:
    champion = server.model.current().champion
    many = replace(champion, contract=replace(champion.contract, task="multiclass"))
    answer = pd.DataFrame({"low": [0.25, 0.5], "high": [0.75, 0.5]})
    features = {name: [value, value] for name, value in FEATURES.items()}
    asked = Prediction("id", datetime(2024, 3, 1), many, "features", {}, features, answer)
    kept.mkdir()
    (kept / "1.parquet").write_bytes(recorded_prediction.content([asked]))
    found = recorded(kept)
    assert found["prediction"].tolist() == ["high", "low"]
    assert found["probabilities"].tolist() == [{"low": 0.25, "high": 0.75}, {"low": 0.5, "high": 0.5}]


def test_every_row_of_many_requests_is_there_in_order(server: Server) -> None:
    champion, sizes = server.model.current().champion, [*[1] * 250, 300, 1, 99, 2]
    asked = [
        replace(
            made(champion),
            request=str(number),
            features={name: [value] * rows for name, value in FEATURES.items()},
            answer=np.full(rows, number / 1000),
        )
        for number, rows in enumerate(sizes)
    ]
    content = pa.BufferReader(recorded_prediction.content(asked))
    table = pq.read_table(content, columns=["request", "row", "prediction"])
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (str(number), row, number / 1000) for number, rows in enumerate(sizes) for row in range(rows)
    ]


@pytest.mark.parametrize(("share", "least", "most"), [(0, 0, 0), (0.5, 60, 140), (1, 200, 200)])
def test_a_share_of_the_requests(serve: Serve, kept: Path, share: float, least: int, most: int) -> None:
    server, counted = serve(record=str(kept), record_share=share), Counted()
    champion = server.model.current().champion
    for _ in range(200):
        of(server).add(made(champion))
    of(server).flush()
    assert least <= counted.rows[0] <= most and counted.rows[1] == 0


def test_nothing_is_recorded_unless_it_is_said_where(server: Server) -> None:
    counted = Counted()
    assert server.model.recorder is None
    assert server.predict(EVENT).status == 200
    assert counted.rows == (0, 0)


def test_a_folder_that_is_away_disturbs_no_answer(serve: Serve, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.write_text("no folder")
    server, counted = serve(record=str(kept)), Counted()
    for _ in range(2):
        assert server.predict(FEATURES).status == 200
        of(server).flush()
    assert counted.rows == (0, 0)
    assert server.lines[1:] == [
        f"{kept}: expected a store that takes predictions, found Not a directory; "
        "for 300 seconds it is tried again, then dropped"
    ]
    kept.unlink()
    of(server).flush()
    assert counted.rows == (2, 0) and len(recorded(kept)) == 2
    server.predict(FEATURES)
    kept.rename(kept.with_name("before"))
    kept.write_text("no folder")
    of(server).flush()
    assert len(server.lines) == 3
    monkeypatch.setattr(limits, "RECORD_KEPT_SECONDS", 0.0)
    of(server).flush()
    assert counted.rows == (2, 1)
    kept.unlink()
    server.predict(FEATURES)
    of(server).flush()
    assert said_dropped(kept) == [1], "the next file says what is not there"


def test_what_does_not_fit_is_dropped_and_counted(serve: Serve, kept: Path) -> None:
    server, counted = serve(record=str(kept)), Counted()
    of(server).most_bytes = 10_000
    for _ in range(20):
        assert server.predict(FEATURES).status == 200
    written = 20 - counted.rows[1]
    assert 1 <= written < 20
    of(server).flush()
    assert counted.rows == (written, 20 - written)
    assert said_dropped(kept) == [20 - written]
    of(server).add(made(server.model.current().champion))
    of(server).flush()
    assert sorted(said_dropped(kept)) == [0, 20 - written]
    assert counted.rows == (written + 1, 20 - written), "there is room again"
    long = {**FEATURES, "shop": "x" * 50_000}
    assert server.predict(long).status == 200
    assert counted.rows == (written + 1, 21 - written), "it counts how long the texts are"


def test_rows_that_no_file_can_hold_end_nothing(serve: Serve, kept: Path, capsys: Any) -> None:
    server, counted = serve(record=str(kept)), Counted()
    good = made(server.model.current().champion)
    of(server).add(replace(good, features={**good.features, "price": ["no number"]}))
    of(server).flush()
    of(server).add(good)
    of(server).flush()
    assert counted.rows == (1, 1)
    assert "Traceback" in capsys.readouterr().err


def test_it_writes_by_itself_and_the_rest_at_the_end(serve: Serve, kept: Path) -> None:
    server, counted = serve(record=str(kept), record_seconds=0.1), Counted()
    of(server).start()
    server.predict(FEATURES)
    for _ in range(200):
        if counted.rows == (1, 0):
            break
        of(server)._thread.join(0.05)
    assert counted.rows == (1, 0)
    slow = serve(record=str(kept), record_seconds=3600)
    of(slow).start()
    slow.predict(FEATURES)
    of(slow).close()
    of(server).close()
    assert counted.rows == (2, 0) and len(recorded(kept)) == 2


def test_what_is_left_at_the_end_is_counted(serve: Serve, kept: Path) -> None:
    kept.write_text("no folder")
    server, counted = serve(record=str(kept), record_seconds=3600), Counted()
    of(server).start()
    server.predict(FEATURES, FEATURES)
    of(server).close()
    assert counted.rows == (0, 2)
    assert server.lines[-1] == f"{kept}: 2 predictions are not recorded"


def test_an_s3_prefix_of_two_servers(serve: Serve, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3("bucket") as endpoint:
        at(endpoint, monkeypatch)
        both = [serve(record="s3://bucket/asked/") for _ in range(2)]
        for server in both:
            server.predict(EVENT)
            of(server).flush()
        client = boto3.client("s3", endpoint_url=endpoint)
        keys = [found["Key"] for found in client.list_objects_v2(Bucket="bucket")["Contents"]]
        assert len(keys) == 2
        assert all(re.fullmatch(r"asked/hour=[-\dT]{13}/[0-9a-f]{32}\.parquet", key) for key in keys)
        for number, key in enumerate(keys):
            kept.mkdir(exist_ok=True)
            client.download_file("bucket", key, str(kept / f"{number}.parquet"))
    assert recorded(kept)["key_id"].tolist() == [EVENT["id"]] * 2
    assert all(len(server.lines) == 1 for server in both)


def test_a_silent_store_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORE_ANSWER_SECONDS", 0.5)
    with silent() as port:
        at(f"http://127.0.0.1:{port}", monkeypatch)
        server, counted = serve(record="s3://bucket/asked/"), Counted()
        assert server.predict(EVENT).status == 200
        of(server).flush()
        assert counted.rows == (0, 0)
        assert server.lines[1].startswith("s3://bucket/asked/: expected a store that takes predictions, found Timeout")


@pytest.mark.parametrize("key", ["tables", "record"])
@pytest.mark.parametrize("place", ["s4://bucket/asked", "ftp://host/asked", "https://user:secret@host/asked"])
def test_a_place_that_is_none_is_one_line(key: str, place: str) -> None:
    with pytest.raises(InputError, match=rf"^serve.{key}: expected a folder or an S3 prefix, found \w+://") as caught:
        settings({**defaults("serve"), key: place}, "clean")
    assert "secret" not in str(caught.value)


def test_while_many_ask_each_row_is_written_once(serve: Serve, kept: Path) -> None:
    server, counted = serve(record=str(kept), record_seconds=0.1), Counted()
    of(server).start()
    by = server.model.current()
    rows = Rows("features", {name: [value] * 3 for name, value in FEATURES.items()})

    async def ask(turn: int) -> None:
        ids = [f"{turn} {number}" for number in range(50)]
        await asyncio.gather(*(server.model.predict(Question(rows, by), {"x-request-id": id_}) for id_ in ids))

    for turn in range(10):
        asyncio.run(ask(turn))
    of(server).close()
    found = recorded(kept)
    assert counted.rows == (1500, 0)
    assert len(found.drop_duplicates(["request", "row"])) == len(found) == 1500
