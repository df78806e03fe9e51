"""The feature query of any model: what it may select, how history, batch and labels are marked, what it may read."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tidegate.contract.contract import Contract, read_contract
from tidegate.process.errors import InputError
from tidegate.tables.features import Window, batch_frame, describe, feature_engine, kinds, marked, subquery

if TYPE_CHECKING:
    from tests.toy import World

march = Window(datetime(2024, 3, 4), datetime(2024, 4, 1))
identity = "SELECT orders.at, id, kept_days < 14 AS returned"


@pytest.fixture
def contract(prepared: "World") -> Contract:
    return read_contract(prepared / "contract.yaml")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1", "number"),
        ("1::DECIMAL(9, 2)", "number"),
        ("1.5::FLOAT", "number"),
        ("1::UTINYINT", "number"),
        ("'x'", "category"),
        ("true", "category"),
        ("'x'::ENUM('x')", "category"),
    ],
)
def test_a_feature_is_a_number_or_a_category(value: str, kind: str, contract: Contract, prepared: "World") -> None:
    with feature_engine(prepared / "clean") as connection:
        found = kinds(contract, describe(connection, f"{identity}, {value} AS found FROM orders"))
    assert found == {"found": kind}


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            f"{identity}, orders.at AS found FROM orders",
            "features.sql: found: expected a number, .*, found TIMESTAMP; cast it",
        ),
        (f"{identity}, [1] AS found FROM orders", r"features.sql: found: expected a number, .*, found INTEGER\[\]"),
        (f"{identity} FROM orders", "features.sql: expected at least one feature, found only identity and label"),
        (
            "SELECT orders.at, id, price FROM orders",
            "features.sql: expected a column returned, found only at, id, price",
        ),
        ("SELECT id, kept_days < 14 AS returned, price FROM orders", "features.sql: expected a column at, found only"),
        (
            "SELECT orders.at, id, kept_days AS returned, price FROM orders",
            "returned: expected true or false, found BIGINT",
        ),
        ("SELECT * FROM order", "features.sql: expected one SELECT that runs, found Parser Error"),
        ("SELECT prize FROM orders", "features.sql: expected one SELECT that runs, found Binder Error.*prize"),
        ("SELECT 1 AS a; SELECT 2 AS a", "features.sql: expected one SELECT that runs, found SELECT, SELECT"),
        ("DROP VIEW orders", "features.sql: expected one SELECT that runs, found DROP"),
        ("SELECT 1 AS a; -- no more\nCOPY orders TO 'x'", "expected one SELECT that runs, found SELECT, COPY"),
        ("", "features.sql: expected one SELECT that runs, found nothing"),
    ],
)
def test_a_query_that_gives_no_features_is_told(sql: str, told: str, contract: Contract, prepared: "World") -> None:
    with feature_engine(prepared / "clean") as connection, pytest.raises(InputError, match=told) as caught:
        kinds(contract, describe(connection, sql))
    assert "\n" not in str(caught.value)


def test_a_query_that_leaves_its_parentheses_writes_nothing(contract: Contract, prepared: "World") -> None:
    orders = prepared / "clean/orders.parquet"
    before = orders.read_bytes()
    sql = f"SELECT * FROM orders); COPY (SELECT 1 AS a) TO '{orders}'; SELECT * FROM (SELECT 1 AS a"
    told = "expected one SELECT that runs, found Parser Error"
    with feature_engine(prepared / "clean") as connection, pytest.raises(InputError, match=told):
        kinds(contract, describe(connection, sql))
    assert orders.read_bytes() == before


@pytest.mark.parametrize(
    ("task", "label", "weight", "told"),
    [
        ("multiclass", "shop", None, None),
        ("multiclass", "kept_days", None, None),
        ("multiclass", "kept_days < 14", None, None),
        ("multiclass", "price", None, "returned: expected a text, a whole number or a boolean, found DOUBLE; cast"),
        ("regression", "price", None, None),
        ("regression", "kept_days", "price", None),
        ("regression", "shop", None, "returned: expected a number, found VARCHAR; cast"),
        ("binary", "shop = 'north'", "price", None),
        ("binary", "price", None, "returned: expected true or false, found DOUBLE; compare"),
        ("binary", "true", "shop", "weight: shop: expected a number, found VARCHAR; cast"),
        ("binary", "true", "id", "weight: id: expected a column of its own, found one of the identity or the label"),
        ("binary", "true", "heavy", "expected a column heavy, found only"),
    ],
)
def test_label_and_weight_follow_the_task(
    task: str, label: str, weight: str | None, told: str | None, contract: Contract, prepared: "World"
) -> None:
    sql = f"SELECT orders.at, id, {label} AS returned, shop, price FROM orders"
    other = replace(contract, task=task, weight=weight)
    with feature_engine(prepared / "clean") as connection:
        if told:
            with pytest.raises(InputError, match=told):
                kinds(other, describe(connection, sql))
            return
        found = kinds(other, describe(connection, sql))
        assert list(found) == [name for name in ("shop", "price") if name != weight]
        frame = connection.execute(marked(sql, other, found, march)).df()
    assert list(frame) == list(dict.fromkeys(["at", "id", "returned", *([weight] if weight else []), *found, "split"]))
    assert frame["returned"].dtype == {"binary": "boolean", "multiclass": object, "regression": float}[task]
    assert frame.loc[frame["at"] > "2024-03-31", "returned"].isna().all()


def test_a_number_that_is_none_is_no_label(contract: Contract, prepared: "World") -> None:
    sql = "SELECT orders.at, id, CASE id % 3 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN 'inf' ELSE 1 END AS returned, "
    sql += "price FROM orders"
    other = replace(contract, task="regression")
    with feature_engine(prepared / "clean") as connection:
        query = marked(sql, other, kinds(other, describe(connection, sql)), march)
        found = connection.execute(
            f"SELECT DISTINCT id % 3, returned FROM ({query}) WHERE \"at\" < '2024-03-01'"
        ).fetchall()
    assert sorted(found) == [(0, None), (1, None), (2, 1.0)]


@pytest.mark.parametrize(
    "end", ["", ";", " ; \n", "-- done", "\n-- done\n", "; -- don't\n-- really\n", " /* done */;"]
)
def test_a_query_may_end_in_a_comment_or_a_semicolon(end: str, prepared: "World") -> None:
    with feature_engine(prepared / "clean") as connection:
        sql = f"-- first\nSELECT 'ü;--' AS a{end}"
        assert connection.execute(f"SELECT * FROM {subquery(sql)}").fetchall() == [("ü;--",)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{outside}')",
        "SELECT * FROM read_csv('{outside}')",
        "SELECT * FROM '{outside}'",
        "SELECT * FROM read_parquet('{clean}/../orders.parquet')",
        "SELECT * FROM read_text('http://127.0.0.1:9/x')",
        "SELECT getenv('HOME') AS home",
    ],
)
def test_a_query_reads_nothing_but_its_tables(sql: str, prepared: "World") -> None:
    outside, clean = prepared / "outside.csv", prepared / "clean"
    outside.write_text("a\n1\n")
    (prepared / "orders.parquet").write_bytes((clean / "orders.parquet").read_bytes())
    with feature_engine(clean) as connection, pytest.raises(InputError, match=r"features\.sql: expected one SELECT"):
        describe(connection, sql.format(outside=outside, clean=clean))


def test_a_query_cannot_unlock_the_door(prepared: "World") -> None:
    import duckdb

    with feature_engine(prepared / "clean") as connection:
        for setting in (
            "SET enable_external_access = true",
            "SET allowed_directories = ['/']",
            "SET timezone = 'CET'",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(setting)


def test_history_batch_and_labels_are_marked(prepared: "World", contract: Contract) -> None:
    sql, prepared_clean = (prepared / "features.sql").read_text(), prepared / "clean"
    with feature_engine(prepared_clean) as connection:
        features = kinds(contract, describe(connection, sql))
        frame = connection.execute(marked(sql, contract, features, march)).df()
    assert list(frame) == ["at", "id", "returned", "shop", "price", "rate", "split"]
    assert frame[["at", "id"]].equals(frame[["at", "id"]].sort_values(["at", "id"]))
    assert set(frame.loc[frame["at"] >= march.start, "split"]) == {"batch"}
    assert set(frame.loc[frame["at"] < march.start, "split"]) == {"history"}
    # A label counts once its event is a day old: at exactly one day it does.
    known = frame["at"] <= "2024-03-31"
    assert frame.loc[known, "returned"].notna().all()
    assert frame.loc[~known, "returned"].isna().all()
    assert len(frame[~known]) == 11


def test_another_model_sees_the_same_batch_through_its_own_query(prepared: "World", contract: Contract) -> None:
    frame = batch_frame(prepared / "clean", f"{identity}, price * 2 AS doubled FROM orders;", contract, march)
    assert list(frame) == ["at", "id", "returned", "doubled"]
    table = prepared.table("features/features")
    own = table[table["split"] == "batch"].reset_index(drop=True)
    assert frame["id"].tolist() == own["id"].tolist()
    assert (frame["doubled"] == own["price"] * 2).all()


def test_an_empty_batch_has_no_rows(prepared: "World", contract: Contract) -> None:
    later = Window(datetime(2025, 1, 1), datetime(2025, 2, 1))
    assert batch_frame(prepared / "clean", f"{identity}, price FROM orders", contract, later).empty


def test_views_are_read_from_the_folder_that_is_given(prepared: "World", tmp_path: Path) -> None:
    with feature_engine(prepared / "clean") as connection:
        assert describe(connection, "SELECT * FROM rates") == {"at": "TIMESTAMP", "rate": "DOUBLE"}
