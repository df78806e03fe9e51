"""Features know nothing that was not known in time; the batch is marked and has a name of its own."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tests.worlds import once
from tidegate.components.featurize.hindsight import leaks, moments
from tidegate.contract.contract import read_contract
from tidegate.documents.digests import digests
from tidegate.documents.findings import Findings
from tidegate.tables.features import describe, feature_engine, kinds

if TYPE_CHECKING:
    from tests.toy import World

Fails = Callable[..., list[str]]
root = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def flights(sample_slice: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clean tables of a slice of the sample, up to March."""
    from tidegate.components.ingest.__main__ import ingest
    from tidegate.components.validate.__main__ import validate

    def build(made: Path) -> None:
        ingest(sample_slice, root / "contract.yaml", "2013-03-01", 14, made / "tables", made / "manifest.json")
        outputs = [made / name for name in ("clean", "bad", "f.json", "f.html")]
        validate(made / "tables", made / "manifest.json", root / "contract.yaml", 0.01, "", *outputs)

    return once(tmp_path_factory, "flights", build)


def features(flights: Path, clean: Path, to: Path) -> pd.DataFrame:
    """The sample's own features of these clean tables."""
    from tidegate.components.featurize.__main__ import featurize

    findings = Findings.read(flights / "f.json")
    replace(findings, digests=digests(clean=clean)).write(to / "findings.json")  # as if validate had written it
    featurize(
        clean,
        flights / "manifest.json",
        to / "findings.json",
        root / "contract.yaml",
        root / "features.sql",
        root / "model.yaml",
        365,
        to / "features",
        to / "batch.json",
    )
    return pd.read_parquet(to / "features/features.parquet")


def test_no_outcome_and_no_later_weather_changes_a_feature_of_the_sample(flights: Path, tmp_path: Path) -> None:
    before = features(flights, flights / "clean", tmp_path / "before")
    altered = tmp_path / "clean"
    shutil.copytree(flights / "clean", altered)
    contract = read_contract(root / "contract.yaml")
    events = pd.read_parquet(altered / "flights.parquet")
    assert len(events) > 7_000
    events[contract.tables["flights"].outcomes()] = 2
    events.to_parquet(altered / "flights.parquet")
    moment = pd.Timestamp("2013-02-10 18:00")
    weather = pd.read_parquet(altered / "weather.parquet")
    later = weather["time_hour"] > moment - pd.Timedelta("6h")
    weather.loc[later, ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]] = -1.0
    weather.to_parquet(altered / "weather.parquet")
    after = features(flights, altered, tmp_path / "after")
    names = [name for name in before if name not in ("late", "split")]
    known = before["time_hour"] <= moment
    assert 5_000 < known.sum() < len(before)
    pd.testing.assert_frame_equal(after.loc[known, names], before.loc[known, names])
    # What was altered was seen where it may be seen: the proof is not empty.
    assert (after["late"] != before["late"]).any()
    assert (after.loc[~known, "temperature"] == -1.0).mean() > 0.9
    assert before.loc[known, "temperature"].notna().mean() > 0.95


def test_the_features_of_the_sample_are_complete(flights: Path, tmp_path: Path) -> None:
    frame = features(flights, flights / "clean", tmp_path)
    assert len(frame) == len(pd.read_parquet(flights / "clean/flights.parquet"))
    assert not frame.duplicated(["time_hour", "carrier", "flight"]).any()
    assert 0.1 < frame["late"].mean() < 0.4
    assert frame.loc[frame["time_hour"] > "2013-02-28 00:00", "late"].isna().all()
    assert frame["departure_minute"].between(0, 1439).all()


flights_query = "SELECT f.time_hour, f.carrier, f.flight, f.arr_delay >= 15 AS late, {} FROM flights AS f {}"
daily = "(SELECT carrier, time_hour::DATE AS day, avg(dep_delay / 7.0) AS x FROM flights GROUP BY ALL) AS d"
windowed = "avg(dep_delay) OVER (PARTITION BY origin ORDER BY time_hour RANGE BETWEEN {})"


@pytest.mark.parametrize(
    ("value", "join", "leaking"),
    [
        ("f.dep_delay AS x", "", True),
        ("f.air_time AS x", "", True),
        ("f.arr_delay IS NULL AS x", "", True),
        ("w.temp AS x", "LEFT JOIN weather AS w ON f.origin = w.origin AND f.time_hour = w.time_hour", True),
        (
            "w.temp AS x",
            "ASOF LEFT JOIN weather AS w ON f.origin = w.origin AND f.time_hour - INTERVAL 5 HOURS >= w.time_hour",
            True,
        ),
        (
            "w.temp AS x",
            "ASOF LEFT JOIN weather AS w ON f.origin = w.origin AND f.time_hour - INTERVAL 6 HOURS >= w.time_hour",
            False,
        ),
        ("(SELECT avg(temp) FROM weather) AS x", "", True),
        ("avg((f.arr_delay >= 15)::INTEGER) OVER (PARTITION BY f.carrier) AS x", "", True),
        ("(SELECT avg(arr_delay) FROM flights AS g WHERE g.carrier = f.carrier) AS x", "", True),
        (windowed.format("CURRENT ROW AND INTERVAL 1 HOUR FOLLOWING") + " AS x", "", True),
        (windowed.format("INTERVAL 7 DAYS PRECEDING AND CURRENT ROW") + " AS x", "", True),
        (windowed.format("INTERVAL 7 DAYS PRECEDING AND INTERVAL 25 HOURS PRECEDING") + " AS x", "", True),
        (windowed.format("INTERVAL 7 DAYS PRECEDING AND INTERVAL 30 HOURS PRECEDING") + " AS x", "", False),
        ("lag(f.dep_delay) OVER (PARTITION BY f.tailnum ORDER BY f.time_hour) AS x", "", True),
        ("d.x", f"LEFT JOIN {daily} ON d.carrier = f.carrier AND d.day = f.time_hour::DATE - 1", True),
        ("d.x", f"LEFT JOIN {daily} ON d.carrier = f.carrier AND d.day = f.time_hour::DATE - 3", False),
        ("count(*) OVER (PARTITION BY f.origin, f.time_hour) AS x", "", False),
        ("(SELECT avg(seats) FROM planes) AS x", "", False),
    ],
)
def test_hindsight_is_found_and_only_hindsight(value: str, join: str, leaking: bool, flights: Path) -> None:
    contract = replace(read_contract(root / "contract.yaml"), slices=())
    sql = flights_query.format(f"f.distance, {value}", join)
    with feature_engine(flights / "clean") as connection:
        found = kinds(contract, describe(connection, sql))
        told = {
            name
            for moment in moments(connection, contract, 3)
            for name in leaks(connection, sql, contract, found, moment)
        }
    assert told == ({"x"} if leaking else set())


def test_sums_that_differ_in_their_last_bits_are_no_hindsight(flights: Path) -> None:
    contract = replace(read_contract(root / "contract.yaml"), slices=())
    sql = flights_query.format("0.3::DOUBLE + count(f.dep_delay) OVER () * 1e-17 AS x", "")
    with feature_engine(flights / "clean") as connection:
        assert leaks(connection, sql, contract, {"x": "number"}, moments(connection, contract, 1)[0]) == []


def test_moments_are_spread_and_the_latest_is_among_them(flights: Path) -> None:
    contract = replace(read_contract(root / "contract.yaml"), slices=())
    with feature_engine(flights / "clean") as connection:
        found = moments(connection, contract, 3)
        (last,) = connection.execute("SELECT max(time_hour) FROM flights").fetchall()[0]
    assert found == sorted(found)
    assert len(found) == 3
    assert found[-1] == last.isoformat()


def test_a_leak_stops_the_step_with_its_name(prepared: "World", fails: Fails) -> None:
    before = prepared.snapshot()
    prepared.edit("features.sql", ("rates.rate", "rates.rate, orders.kept_days AS days"))
    (line,) = fails(prepared, "featurize")
    assert line.startswith("features.sql: expected features that are known 6h before the event, found days of 2024-")
    assert prepared.snapshot() | {"features.sql": b""} == before | {"features.sql": b""}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "FROM orders",
            "FROM (SELECT * FROM orders WHERE price > 50) AS orders",
            "one row per row of orders (1,092), found ",
        ),
        (
            "FROM orders",
            "FROM (FROM orders UNION ALL FROM orders) AS orders",
            "found 2,184 rows, 1,092 of them distinct",
        ),
        ("FROM orders", "FROM (SELECT * REPLACE (1 AS id) FROM orders) AS orders", None),
        ("orders.price", "orders.prize", "features.sql: expected one SELECT that runs, found Binder Error"),
        (
            "orders.price",
            "(orders.shop::INTEGER) AS n",
            "features.sql: expected SQL that runs over every row, found orders.shop in row 1 that is no INTEGER: '",
        ),
        (
            "orders.price",
            "(SELECT 1 FROM read_csv('/etc/passwd')) AS n",
            "features.sql: expected one SELECT that runs",
        ),
        ("FROM orders", "FROM customers", "features.sql: expected one SELECT that runs, found Catalog Error"),
        ("orders.shop, orders.price, rates.rate", "orders.kept_days < 14", "features.sql: expected"),
    ],
)
def test_sql_that_does_not_do_is_one_line(
    old: str, new: str, told: str | None, prepared: "World", fails: Fails
) -> None:
    before = prepared.snapshot()
    prepared.edit("features.sql", (old, new))
    if told is None:
        prepared.run("featurize")
        assert set(prepared.table("features/features")["id"]) == {1}
        return
    (line,) = fails(prepared, "featurize")
    assert told in line
    assert prepared.snapshot() | {"features.sql": b""} == before | {"features.sql": b""}


def test_private_columns_are_not_there_to_be_selected(prepared: "World", fails: Fails) -> None:
    prepared.edit("features.sql", ("orders.price", "orders.customer"))
    (line,) = fails(prepared, "featurize")
    assert "customer" in line


def test_the_batch_is_marked_and_counted(prepared: "World") -> None:
    found, table = prepared.json("batch"), prepared.table("features/features")
    assert (found["start"], found["end"]) == ("2024-03-04T00:00:00", "2024-04-01T00:00:00")
    assert found["features"] == {"shop": "category", "price": "number", "rate": "number"}
    assert {
        "rows": found["rows"],
        "labelled_rows": found["labelled_rows"],
        "history_rows": found["history_rows"],
        "history_labelled_rows": found["history_labelled_rows"],
    } == {"rows": 28 * 12, "labelled_rows": 28 * 12 - 11, "history_rows": 63 * 12, "history_labelled_rows": 63 * 12}
    assert table.groupby("split").size().to_dict() == {"batch": 336, "history": 756}


def test_the_same_inputs_give_the_same_bytes(prepared: "World") -> None:
    before = prepared.snapshot()
    prepared.run("featurize")
    assert prepared.snapshot() == before


def change(world: "World", case: str) -> dict[str, Any]:
    """Change one thing before ingest; returns the arguments that changed."""
    if case == "data":
        world.edit("data/orders.csv", ("secret-7,", "secret-x,"))
    elif case == "contract":
        world.edit("contract.yaml", ("horizon: 6h", "horizon: 5h"))
    elif case == "sql":
        world.edit("features.sql", ("< 14", "< 15"))
    elif case == "layout":
        world.edit("contract.yaml", ("name: toy", "# yaml-language-server: x\nname:   toy  # the problem"))
        world.edit("features.sql", ("SELECT orders.at,", "-- One row\nSELECT\n    orders.at, /* when */"))
        world.edit("model.yaml", ("{max_iter", "# many\n  { max_iter"))
    elif case == "estimator":
        world.edit("model.yaml", ("30", "31"))
    elif case == "another time of the file":
        (world / "data/orders.csv").touch()
        (world / "elsewhere.txt").write_text("x")
    arguments: dict[str, dict[str, Any]] = {
        "until": {"until": "2024-04-02"},
        "batch_days": {"batch_days": 27},
        "window_days": {"window_days": 366},
        "max_bad_share": {"max_bad_share": 0.02},
        "same until": {"until": "2024-04-01T00:00"},
    }
    return arguments.get(case, {})


@pytest.mark.parametrize(
    ("case", "differs"),
    [
        ("data", True),
        ("contract", True),
        ("sql", True),
        ("estimator", True),
        ("until", True),
        ("batch_days", True),
        ("window_days", True),
        ("max_bad_share", False),
        ("another time of the file", False),
        ("layout", False),
        ("same until", False),
    ],
)
def test_what_the_name_of_a_batch_depends_on(case: str, differs: bool, prepared: "World") -> None:
    before = prepared.json("batch")["id"]
    prepared.run("ingest", "validate", "featurize", **change(prepared, case))
    after = prepared.json("batch")["id"]
    assert (after != before) == differs
    assert len(after) == 16


def test_the_command_line_does_the_same(prepared: "World") -> None:
    before = prepared.snapshot()
    done = prepared.command("featurize")
    assert (done.returncode, done.stderr) == (0, "")
    assert prepared.snapshot() == before


def test_a_comment_leaves_the_champion_and_what_was_decided(released: "World") -> None:
    """All steps run again after it, as DVC would have them; what they decided before is what they say."""
    from tidegate.tracking.batch_runs import batches
    from tidegate.tracking.champion import load_champion
    from tidegate.tracking.journal import history
    from tidegate.tracking.store import connect

    documents = {name: released.json(name) for name in ("batch", "decision", "verdict", "release")}
    change(released, "layout")
    released.run("ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy")
    assert {name: released.json(name) for name in documents} == documents
    champion = load_champion(connect(), "toy", ())
    assert champion is not None
    assert (champion.version, champion.record.batch) == ("1", documents["batch"]["id"])
    assert len(history(connect(), "toy").counted) == len(batches(connect(), "toy")) == 1


def test_a_model_that_is_no_yaml_is_told_before_anything_is_computed(prepared: "World", fails: Fails) -> None:
    before = prepared.snapshot()
    prepared.edit("model.yaml", ("parameters: {", "parameters: {{"))
    (line,) = fails(prepared, "featurize")
    assert line.startswith("model.yaml:3: expected YAML, found no , and no } after the bracket of line 2")
    assert prepared.snapshot() | {"model.yaml": b""} == before | {"model.yaml": b""}
