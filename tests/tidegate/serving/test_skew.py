"""What the server answers for the rows of a batch is what the loop predicted for them, to the last bit."""

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.tidegate.serving.conftest import Server
from tidegate.contract.contract import Column, Table
from tidegate.scoring.scores import predict
from tidegate.serving import clean_tables
from tidegate.serving.events import features_of
from tidegate.serving.predictor import Predictor
from tidegate.serving.refusal import RefusalError
from tidegate.serving.rows import from_instances
from tidegate.tracking.champion import Champion

if TYPE_CHECKING:
    from tests.toy import World

HORIZON = timedelta(hours=6)


def offline(champion: Champion, features: pd.DataFrame) -> pd.DataFrame:
    """The rows of the batch with what the loop predicts for all of them at once."""
    rows = features[features["split"] == "batch"].reset_index(drop=True)
    predicted = predict(champion.model, rows, champion.record.features, champion.contract.task)
    return rows.assign(prediction=np.asarray(predicted))


def instances(rows: pd.DataFrame, names: Any) -> list[dict[str, Any]]:
    """Rows as clients write them."""
    return [
        {name: None if pd.isna(row[name]) else row[name] for name in names}
        | ({"at": row["at"].isoformat()} if "at" in names else {})
        for row in rows[[*names]].to_dict("records")
    ]


def answered(predictor: Predictor, asked: list[dict[str, Any]]) -> list[float]:
    rows = from_instances({"instances": asked}, predictor.form)
    found: list[float] = np.asarray(predictor.predict(predictor.features(rows))).tolist()
    return found


def test_features_by_name_and_events_over_http(server: Server, released: "World") -> None:
    current = server.model.current()
    rows = offline(current.champion, released.table("features/features"))
    assert len(rows) == 336
    events = released.table("clean/orders")
    events = events[events["at"] >= rows["at"].min()]
    by_name = server.predict(*instances(rows, current.form.features)).document["predictions"]
    by_event = server.predict(*instances(events, current.form.event)).document["predictions"]
    assert by_name == by_event == rows["prediction"].tolist()
    one_by_one = [server.predict(one).document["predictions"][0] for one in instances(events, current.form.event)]
    assert one_by_one == rows["prediction"].tolist()


def test_each_event_of_the_batch_from_what_was_known_before(server: Server, released: "World") -> None:
    """The tables hold neither the event nor anything from later than its horizon."""
    current = server.model.current()
    rows = offline(current.champion, released.table("features/features"))
    orders = released.table("clean/orders")
    tables = clean_tables.load(
        clean_tables.find(str(released / "clean")), current.champion.contract, current.champion.sql
    )
    then = Predictor(current.champion, current.form, tables, {}, None)
    found: dict[tuple[datetime, int], float] = {}
    for moment, group in reversed([*rows.groupby("at")]):
        for table in ("history.orders", "rates"):
            tables.connection.execute(f'DELETE FROM {table} WHERE "at" > $known', {"known": moment - HORIZON})
        asked = orders.merge(group[["at", "id"]], on=["at", "id"])
        keys = zip(asked["at"], asked["id"], strict=True)
        found |= dict(zip(keys, answered(then, instances(asked, current.form.event)), strict=True))
    kept = tables.connection.execute('SELECT max("at") FROM history.orders').fetchall()[0][0]
    assert kept == rows["at"].min() - HORIZON
    assert [found[key] for key in zip(rows["at"], rows["id"], strict=True)] == rows["prediction"].tolist()


def test_what_is_asked_stands_in_place_of_what_is_known(server: Server, released: "World") -> None:
    """A known event is asked with another price; its row in the tables has no say."""
    event = instances(released.table("clean/orders").tail(1), server.model.current().form.event)[0]
    other = event | {"price": 1.0 if event["price"] != 1.0 else 2.0}
    known, changed = (server.predict(one).document["predictions"][0] for one in (event, other))
    features = released.table("features/features").tail(1)
    expected = {"shop": features["shop"].iloc[0], "price": other["price"], "rate": features["rate"].iloc[0]}
    assert changed == server.predict(expected).document["predictions"][0]
    assert known != changed


def test_features_may_depend_on_other_events(server: Server, released: "World") -> None:
    """The number of orders of the same moment counts those of the tables and those that are asked."""
    current = server.model.current()
    contract = current.champion.contract
    sql = """
        SELECT orders.at, id, NULL::BOOLEAN AS returned, count(*) OVER (PARTITION BY orders.at) AS then,
            count(*) OVER (ORDER BY orders.at RANGE INTERVAL 1 DAY PRECEDING) AS within_a_day
        FROM orders -- a comment; at its end
    """
    tables = clean_tables.load(clean_tables.find(str(released / "clean")), contract, sql)
    at = released.table("clean/orders")["at"].iloc[-1].to_pydatetime()
    events = {"at": [at, at], "id": [-1, -2], "shop": ["north", "south"], "price": [1.0, None]}
    kinds = {"then": "number", "within_a_day": "number"}
    found = features_of(events, tables, contract, sql, kinds)
    assert found == {"then": [3.0, 3.0], "within_a_day": [15.0, 15.0]}


def test_an_event_refers_to_what_is_there(server: Server, released: "World", tmp_path: Path) -> None:
    """As in validate, a value that the other table does not have is refused; null is allowed."""
    contract = server.model.current().champion.contract
    table = contract.tables["orders"]
    shops = Table("shops.csv", {"shop": Column("text")}, ("shop",))
    referring = replace(table, references={"shop": "shops.shop"})
    contract = replace(contract, tables={**contract.tables, "orders": referring, "shops": shops})
    shutil.copytree(released / "clean", tmp_path / "own")
    pd.DataFrame({"shop": ["north", None]}).to_parquet(tmp_path / "own/shops.parquet")
    sql = "SELECT orders.at, id, NULL::BOOLEAN AS returned, price FROM orders"
    tables = clean_tables.load(clean_tables.find(str(tmp_path / "own")), contract, sql)
    at = [datetime(2024, 4, 1)] * 2
    events: dict[str, list[Any]] = {"at": at, "id": [-1, -2], "shop": ["north", None], "price": [1.0, 2.0]}
    assert features_of(events, tables, contract, sql, {"price": "number"}) == {"price": [1.0, 2.0]}
    with pytest.raises(RefusalError, match=r"^instances: expected events whose shop is in shops\.shop, found 1 that"):
        features_of(events | {"shop": ["south", "north"]}, tables, contract, sql, {"price": "number"})
