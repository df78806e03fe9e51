"""Single bad rows are set aside with their reasons, skew of the schema stops the run, and every violation is told."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.toy import World

Builders = dict[str, Callable[..., pd.DataFrame]]
Fails = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def store(_stored: "World", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty store for what a stop tells MLflow."""
    shutil.copy(_stored / "mlflow.db", tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")


@pytest.fixture
def texts(world: "World", builders: Builders) -> pd.DataFrame:
    """The orders as texts, so that a test may spoil some."""
    world.run("ingest")
    return builders["orders"]().astype(object)


def check(world: "World", frame: pd.DataFrame, **given: Any) -> None:
    world.lay(orders=frame)
    world.run("ingest", "validate", **{"until": "2024-05-10", "max_bad_share": 0.01, **given})


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("price", "cheap", "price: a value of type number"),
        ("price", "-1", "price: 0 to 1000"),
        ("price", "1000.01", "price: 0 to 1000"),
        ("price", "inf", "price: a finite number; price: 0 to 1000"),
        ("price", "nan", "price: a finite number; price: 0 to 1000"),
        ("price", "", "price: a value of type number"),
        ("kept_days", "1.5", "kept_days: a value of type integer"),
        ("kept_days", "100", "kept_days: 0 to 99"),
        ("kept_days", "many", "kept_days: a value of type integer"),
        ("shop", "west", "shop: one of north, south"),
        ("shop", "North", "shop: one of north, south"),
        ("shop", None, "shop: no null"),
        ("id", None, "id: no null"),
        ("id", "x1", "id: a value of type integer"),
        ("at", None, "at: no null"),
        ("at", "yesterday", "at: a value of type timestamp"),
        ("at", "2024-02-30 00:00:00", "at: a value of type timestamp"),
    ],
)
def test_a_row_that_breaks_a_promise_is_set_aside_with_its_reason(
    name: str, value: Any, reason: str, world: "World", texts: pd.DataFrame
) -> None:
    texts.loc[5, name] = value
    check(world, texts)
    bad, clean = world.table("quarantine/orders"), world.table("clean/orders")
    assert bad["reasons"].tolist() == [reason]
    assert (
        bad[name].isna().all()
        if value is None
        else str(bad[name][0]) == str(float("inf")) or bad[name].astype(str)[0] in (value, f"{value}.0", "nan")
    )
    assert len(clean) == len(texts) - 1
    assert {column: str(kind) for column, kind in clean.dtypes.items()} == {
        "at": "datetime64[us]",
        "id": "int64",
        "shop": "object",
        "price": "float64",
        "kept_days": "int64",
    }
    found = world.json("findings")
    assert found["accepted"]
    assert found["tables"]["orders"] | {"broken": 0, "columns": 0} == {
        "columns": 0,
        "rows": 1560,
        "bad_rows": 1,
        "broken": 0,
        "unknown_columns": [],
        "violations": [],
    }
    assert [(item["promise"], item["rows"]) for item in found["tables"]["orders"]["broken"]] == [
        (part, 1) for part in sorted(reason.split("; "))
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price", None),
        ("price", "0"),
        ("price", "1000"),
        ("price", "1e2"),
        ("kept_days", None),
        ("kept_days", "99.0"),
        ("at", "2024-01-01T07:00:00+02:00"),
    ],
)
def test_a_row_at_the_edge_of_its_promises_stays(name: str, value: Any, world: "World", texts: pd.DataFrame) -> None:
    texts.loc[5, name] = value
    texts.loc[6, "shop"] = "west"  # so that something is set aside
    check(world, texts)
    assert world.table("quarantine/orders")["reasons"].tolist() == ["shop: one of north, south"]
    assert len(world.table("clean/orders")) == len(texts) - 1


def test_the_other_values_of_a_column_kept_as_text_are_cast(world: "World", texts: pd.DataFrame) -> None:
    texts.loc[5, "at"], texts.loc[6, "at"] = "never", "2024-01-01T14:00:00+02:00"
    texts.loc[7, "kept_days"], texts.loc[8, "kept_days"] = "1.5", "4.0"
    check(world, texts)
    clean = world.table("clean/orders").set_index("id")
    assert clean.loc[7, "at"] == pd.Timestamp("2024-01-01 12:00")
    assert clean.loc[9, "kept_days"] == 4
    assert {6, 8} & set(clean.index) == set()


def test_one_row_may_break_several_promises(world: "World", texts: pd.DataFrame) -> None:
    texts.loc[5, "price"], texts.loc[5, "shop"] = -1, "west"
    check(world, texts)
    assert world.table("quarantine/orders")["reasons"].tolist() == ["shop: one of north, south; price: 0 to 1000"]


def test_clean_rows_are_in_total_order(world: "World", texts: pd.DataFrame) -> None:
    check(world, texts.sample(frac=1, random_state=0))
    first = world.snapshot()
    clean = world.table("clean/orders")
    assert clean[["at", "id"]].equals(clean[["at", "id"]].sort_values(["at", "id"], ignore_index=True))
    check(world, texts.sample(frac=1, random_state=1))
    for name in ("clean/orders.parquet", "quarantine/orders.parquet", "findings.json"):
        assert world.snapshot()[name] == first[name]


@pytest.mark.parametrize(
    ("bad", "share", "stops"), [(16, 0.01, True), (15, 0.01, False), (1, 0.0, True), (0, 0.0, False)]
)
def test_too_many_bad_rows_stop_the_run(
    bad: int, share: float, stops: bool, world: "World", texts: pd.DataFrame, fails: Fails
) -> None:
    texts.loc[: bad - 1, "shop"] = "west"
    world.lay(orders=texts)
    world.run("ingest", until="2024-05-10")
    if not stops:
        world.run("validate", max_bad_share=share)
        return
    lines = fails(world, "validate", max_bad_share=share)
    assert lines[0] == (
        f"orders: bad rows: expected at most {share:.2%}, found {bad / 1560:.2%} ({bad} of 1,560): "
        f"shop: one of north, south ({bad} row{'s' if bad > 1 else ''}, such as 'west' in row 1 of the table)"
    )
    assert len(lines) == 2


def test_rows_that_share_their_key_stop_the_run(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    world.lay(orders=pd.concat([texts, texts.iloc[[3, 3, 9]]]))
    world.run("ingest", until="2024-05-10")
    told = "orders: key: expected unique rows, found 5 rows that share their key"
    assert fails(world, "validate")[0] == f"{told}, 5 of which are whole duplicates"
    world.lay(orders=pd.concat([texts, texts.iloc[[3, 3, 9]].assign(price=[1, 2, 3])]))
    world.run("ingest", until="2024-05-10")
    assert fails(world, "validate")[0] == told
    world.lay(orders=pd.concat([texts, texts.iloc[[3, 3, 9]].assign(price=[1, 1, 3])]))
    world.run("ingest", until="2024-05-10")
    assert fails(world, "validate")[0] == f"{told}, 2 of which are whole duplicates"


def test_rows_of_the_event_share_their_time_where_there_is_no_key(
    world: "World", texts: pd.DataFrame, fails: Fails
) -> None:
    world.edit("contract.yaml", ("    key: [at, id]\n", ""), ("    key: [at]\n", ""))
    world.run("ingest", "validate", until="2024-05-10")
    world.lay(orders=pd.concat([texts, texts.iloc[[3, 3, 9]].assign(price=[1, 2, 3])]))
    world.run("ingest", until="2024-05-10")
    lines = fails(world, "validate")
    assert (
        lines[0]
        == "orders: key: expected unique times, as the contract names no key, found 5 rows that share their at"
    )
    assert len(lines) == 2  # rates is not the event


@pytest.mark.parametrize(
    ("promise", "nulls", "told"),
    [
        ("true", 1560, "expected a value in some row, found only nulls"),
        ("true", 1559, None),
        ("0.05", 1560, "expected a value in some row, found only nulls"),
        ("0.05", 79, "expected at most 5.00% nulls, found 5.06% (79 of 1,560)"),
        ("0.05", 78, None),
        ("1", 1559, None),
        ("1.0", 1560, "expected a value in some row, found only nulls"),
    ],
)
def test_too_many_nulls_stop_the_run(
    promise: str, nulls: int, told: str | None, world: "World", texts: pd.DataFrame, fails: Fails
) -> None:
    world.edit("contract.yaml", ("range: [0, 1000], nullable: true", f"range: [0, 1000], nullable: {promise}"))
    texts["price"] = pd.Series([None] * nulls + ["5"] * (len(texts) - nulls), dtype=object)
    world.lay(orders=texts)
    world.run("ingest", until="2024-05-10")
    if told is None:
        world.run("validate")
        assert world.table("quarantine/orders").empty
    else:
        assert fails(world, "validate")[:-1] == [f"orders: column price: {told}"]


@pytest.mark.parametrize("promise", ["false", "0", "0.0"])
def test_a_row_without_a_value_is_set_aside_where_none_may_lack_one(
    promise: str, world: "World", texts: pd.DataFrame
) -> None:
    world.edit("contract.yaml", ("range: [0, 1000], nullable: true", f"range: [0, 1000], nullable: {promise}"))
    texts.loc[5, "price"] = None
    check(world, texts)
    assert world.table("quarantine/orders")["reasons"].tolist() == ["price: no null"]


def test_bad_rows_are_told_with_a_value_and_its_row(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    texts.loc[7, "price"] = "cheap\tand\x1b[31m very, very, very, very good"
    texts.loc[9, "kept_days"], texts.loc[11, "shop"], texts.loc[12, "price"] = "100", None, "1001"
    texts.loc[3, "id"], texts.loc[4, "at"] = "person-77", "soon"
    world.lay(orders=pd.concat([texts.iloc[800:], texts.iloc[:800]]))  # the table is in order, the file is not
    world.run("ingest", until="2024-05-10")
    (line,) = [line for line in fails(world, "validate", max_bad_share=0.0) if "bad rows" in line]
    assert line.partition("): ")[2].split("), ") == [
        "at: a value of type timestamp (1 row, such as row 765 of orders.csv",
        "id: a value of type integer (1 row, such as row 764 of orders.csv",
        "kept_days: 0 to 99 (1 row, such as '100' in row 9 of the table",
        "price: 0 to 1000 (1 row, such as '1001' in row 12 of the table",
        "price: a value of type number (1 row, such as "
        "'cheap\\tand\\x1b[31m very, very, very, very g…' in row 768 of orders.csv",
        "shop: no null (1 row, such as row 11 of the table)",
    ]
    assert "\x1b" not in line


def test_the_row_is_that_of_its_file_where_a_table_has_several(
    world: "World", texts: pd.DataFrame, fails: Fails
) -> None:
    texts.loc[1000, "price"] = "cheap"
    world.edit("contract.yaml", ("files: orders.csv", "files: orders-*.csv"))
    for number in range(3):
        world.lay(**{f"orders-{number}": texts.iloc[number * 400 : number * 400 + 400]})
    world.run("ingest", until="2024-05-10")
    assert "such as 'cheap' in row 201 of orders-2.csv)" in fails(world, "validate", max_bad_share=0.0)[0]


def test_a_row_that_came_too_late_is_no_example(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    texts.loc[[1500, 1501], "price"] = "dear"
    world.lay(orders=texts)
    world.run("ingest", until="2024-03-01")
    assert world.json("manifest")["tables"]["orders"]["kept_as_text"] == ["price"]
    assert "examples" not in world.json("manifest")["tables"]["orders"]
    world.run("validate", max_bad_share=0.0)


def test_a_column_may_have_any_name(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    """DuckDB calls the position of a row file_row_number, and we call why a row is bad reasons."""
    world.edit(
        "contract.yaml",
        (
            "id: {type: integer}",
            "id: {type: integer}\n      File_Row_Number: {type: number}\n      reasons: {type: text}",
        ),
    )
    texts.loc[3, "price"], texts.loc[5, "shop"] = "cheap", "west"
    check(world, texts.assign(File_Row_Number=7, reasons="mine"))
    assert world.table("quarantine/orders")["reasons_1"].tolist() == [
        "price: a value of type number",
        "shop: one of north, south",
    ]
    lines = fails(world, "validate", max_bad_share=0.0)
    assert "shop: one of north, south (1 row)" in lines[0]


price = "orders: column price: expected a column of type number, found none"


@pytest.mark.parametrize(
    ("renamed", "told"),
    [
        ({"price": "prices"}, [f"{price} (did you mean 'prices'?)"]),
        ({"price": "Prize"}, [f"{price} (did you mean 'Prize'?)"]),
        (
            {"kept_days": "zzz"},
            [
                "orders: column kept_days: expected a column of type integer, found none",
                "orders: column zzz: expected one of the contract's columns, found an unknown one",
            ],
        ),
        (
            {"id": "number"},
            [
                "orders: column id: expected a column of type integer, found none",
                "orders: column number: expected one of the contract's columns, found an unknown one",
            ],
        ),
        (
            {"at": "placed_at", "shop": "shops"},
            [
                "orders: column at: expected a column of type timestamp, found none",
                "orders: column shop: expected a column of type text, found none (did you mean 'shops'?)",
                "orders: column placed_at: expected one of the contract's columns, found an unknown one",
            ],
        ),
        (
            {"customer": "client"},
            ["orders: column client: expected one of the contract's columns, found an unknown one"],
        ),
    ],
)
def test_a_missing_column_stops_the_run_and_the_nearest_is_named(
    renamed: dict[str, str], told: list[str], world: "World", texts: pd.DataFrame, fails: Fails
) -> None:
    world.lay(orders=texts.rename(columns=renamed))
    world.run("ingest")
    lines = fails(world, "validate")
    assert lines[:-1] == told
    assert lines[-1].endswith("has the whole picture")
    assert world.json("findings")["tables"]["orders"]["unknown_columns"] == list(renamed.values())


def test_unknown_columns_stop_the_run_or_are_dropped(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    world.lay(orders=texts.assign(colour="red", reason="none"))
    world.run("ingest")
    assert [line.partition(": expected")[0] for line in fails(world, "validate")[:-1]] == [
        "orders: column colour",
        "orders: column reason",
    ]
    assert world.json("findings")["tables"]["orders"]["unknown_columns"] == ["colour", "reason"]
    world.edit("contract.yaml", ("files: orders.csv", "files: orders.csv\n    other_columns: drop"))
    check(world, texts.assign(colour="red", reason="none"))
    assert list(world.table("clean/orders")) == ["at", "id", "shop", "price", "kept_days"]


def test_every_violation_is_told_and_earlier_outputs_stay(
    world: "World", texts: pd.DataFrame, builders: Builders, fails: Fails
) -> None:
    world.run("validate")
    before = world.snapshot()
    texts.loc[:99, "shop"] = "west"
    rates = builders["rates"]().drop(columns="rate")
    world.lay(orders=pd.concat([texts, texts.head(1)]).drop(columns="price"), rates=pd.concat([rates, rates.head(2)]))
    world.run("ingest")
    lines = fails(world, "validate")
    assert [line.partition(", found")[0] for line in lines[:-1]] == [
        "orders: column price: expected a column of type number",
        "orders: key: expected unique rows",
        "orders: bad rows: expected at most 1.00%",
        "rates: column rate: expected a column of type number",
        "rates: key: expected unique rows",
    ]
    after = world.snapshot()
    for name in before:
        if name.startswith(("clean/", "quarantine/")):
            assert after[name] == before[name]
    # What was found is there to be read, as a document and as a page.
    assert not world.json("findings")["accepted"]
    page = (world / "validate.html").read_text()
    assert all(word in page for word in ("expected at most 1.00%", "share their key", "column rate"))


def test_a_table_without_any_promise_is_taken_as_it_is(world: "World") -> None:
    world.edit("contract.yaml", ("time: at\n    key: [at]\n    columns:\n      at: {type: timestamp}\n", "columns:\n"))
    world.edit("contract.yaml", ("rate: {type: number, nullable: true}", "rate: {type: text, nullable: true}"))
    world.edit("contract.yaml", ("files: rates.csv", "files: rates.csv\n    other_columns: drop"))
    world.run("ingest", "validate")
    assert len(world.table("clean/rates")) == 131 * 24
    assert world.table("quarantine/rates").empty


def test_the_page_escapes_what_the_data_says(world: "World", texts: pd.DataFrame) -> None:
    world.lay(orders=texts.rename(columns={"price": "<script>price"}).assign(**{"<b>": "x"}))
    world.run("ingest")
    with pytest.raises(Exception, match="price"):
        world.run("validate")
    page = (world / "validate.html").read_text()
    assert "<script>price" not in page
    assert "&lt;script&gt;price" in page


def test_the_command_line_tells_every_violation(world: "World", texts: pd.DataFrame) -> None:
    world.lay(orders=texts.drop(columns=["price", "shop"]))
    world.run("ingest")
    done = world.command("validate")
    assert (done.returncode, done.stdout) == (2, "")
    assert [line[:22] for line in done.stderr.splitlines()[:2]] == ["error: orders: column ", "error: orders: column "]
    assert "Traceback" not in done.stderr


RULES = """\
    rules:
      south is dear: shop <> 'south' OR price >= 20
      kept: kept_days < 90
    references: {at: rates.at}
    freshness: 2d
    rows_per: {1d: [12, 12]}
    columns:
      at: {type: timestamp}
"""


def with_rules(world: "World", *changes: tuple[str, str]) -> None:
    world.edit("contract.yaml", ("    columns:\n      at: {type: timestamp}\n      id", f"{RULES}      id"), *changes)
    world.run("ingest")


def test_rows_that_break_a_rule_are_set_aside_by_its_name(world: "World", texts: pd.DataFrame) -> None:
    with_rules(world)
    texts["price"], texts["kept_days"] = "50", "7"
    texts.loc[5, ["shop", "price"]] = ["south", "19"]
    texts.loc[6, ["shop", "price", "kept_days"]] = ["south", None, "95"]  # what is unknown breaks no rule
    texts.loc[7, ["shop", "price", "kept_days"]] = ["south", "cheap", None]
    check(world, texts)
    assert world.table("quarantine/orders")["reasons"].tolist() == [
        "rule: south is dear",
        "rule: kept",
        "price: a value of type number",
    ]
    assert "south is dear" in (world / "validate.html").read_text()


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("kept_days <", "syntax error"),
        ("kept_dayz < 90", "kept_dayz"),
        ("customer <> ''", "customer"),
        ("sum(kept_days) < 90", "aggregate"),
        ("kept_days < 90 AND (SELECT count(*) FROM read_csv('/etc/passwd')) > 0", "disabled|denied|[Pp]ermission"),
    ],
)
def test_a_rule_that_is_no_condition_is_told(
    condition: str, told: str, world: "World", texts: pd.DataFrame, fails: Fails
) -> None:
    with_rules(world, ("kept: kept_days < 90", f"kept: {condition}"))
    (line,) = fails(world, "validate")
    assert line.startswith(
        "contract.yaml: tables.orders.rules.kept: expected a condition over its columns in SQL, found"
    )
    assert re.search(told, line), line


def test_a_rule_that_leaves_its_parentheses_writes_nothing(world: "World", fails: Fails) -> None:
    world.run("ingest")
    orders = world / "tables/orders.parquet"
    before = orders.read_bytes()
    rule = f"true)) FROM (SELECT 1); COPY (SELECT 1 AS a) TO '{orders}'; SELECT count_if(NOT (true"
    with_rules(world, ("kept: kept_days < 90", f'kept: "{rule}"'))
    (line,) = fails(world, "validate")
    assert line.startswith("contract.yaml: tables.orders.rules.kept: expected a condition over its columns in SQL, ")
    assert orders.read_bytes() == before


def test_a_rule_that_fails_on_a_row_tells_no_value(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    with_rules(world, ("kept: kept_days < 90", "kept: shop::INTEGER < 90"))
    (line,) = fails(world, "validate")
    assert line.startswith(
        "tables.orders.rules: expected SQL that runs over every row, found orders.shop in row 1 that is no INTEGER: '"
    )


def test_a_rule_that_fails_on_a_key_tells_no_value(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    with_rules(world, ("kept: kept_days < 90", "kept: (id || 'secret')::INTEGER < 90"))
    (line,) = fails(world, "validate")
    assert line.startswith("tables.orders.rules: expected SQL that runs over every row, found a value that is no INT")
    assert "secret" not in line


def test_a_row_whose_reference_is_not_there_is_set_aside(
    world: "World", texts: pd.DataFrame, builders: Builders
) -> None:
    with_rules(world)
    rates = builders["rates"]()
    world.lay(rates=rates[rates["at"] != "2024-01-03T04:00:00Z"])
    check(world, texts.assign(kept_days="7", price="50"))
    bad = world.table("quarantine/orders")
    assert bad["reasons"].tolist() == ["at: in rates.at"]
    assert bad["at"].tolist() == [pd.Timestamp("2024-01-03 04:00")]


def test_age_and_rows_per_period_stop_the_run(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    with_rules(world)
    texts["kept_days"], texts["price"] = "7", "50"
    day = texts["at"].str[:10]
    twice = texts[day == "2024-01-09"].assign(id=texts["id"] + 10_000)
    world.lay(orders=pd.concat([texts[(day != "2024-01-05") & ~((day == "2024-01-07") & (texts.id % 2 == 0))], twice]))
    world.run("ingest", until="2024-05-13")
    assert fails(world, "validate")[:2] == [
        "orders: freshness: expected the latest row at most 2d old at 2024-05-13, found 3d 2h",
        "orders: rows per 1d: expected 12 to 12, found 0 in 2024-01-05, 6 in 2024-01-07, 24 in 2024-01-09",
    ]
    world.run("ingest", until="2024-05-11")
    assert "freshness" not in "".join(fails(world, "validate"))


def test_values_that_must_be_unique_stop_the_run_unnamed(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    world.edit("contract.yaml", ("id: {type: integer}", "id: {type: integer, unique: true}"))
    check(world, texts)
    texts.loc[9, "id"] = texts.loc[700, "id"] = texts.loc[3, "id"]
    world.lay(orders=texts)
    world.run("ingest", until="2024-05-10")
    line = fails(world, "validate")[0]
    assert line == "orders: id: expected unique values, found 3 rows that share theirs"


def test_keys_that_are_not_in_the_order_of_the_rows_are_compared(
    world: "World", texts: pd.DataFrame, fails: Fails
) -> None:
    world.edit("contract.yaml", ("key: [at, id]", "key: [id]"))
    texts.loc[700, "id"] = texts.loc[3, "id"]
    world.lay(orders=texts)
    world.run("ingest", until="2024-05-10")
    assert fails(world, "validate")[0] == "orders: key: expected unique rows, found 2 rows that share their key"


def test_no_value_of_a_key_or_a_private_column_is_told(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    world.edit("contract.yaml", ("id: {type: integer}", "id: {type: integer, range: [1, 5000]}"))
    texts["id"] = texts["id"] + 770_000_000
    texts["customer"] = "secret-person"
    world.lay(orders=pd.concat([texts, texts.iloc[[3]]]))
    world.run("ingest", until="2024-05-10")
    told = "\n".join(fails(world, "validate"))
    written = told + (world / "validate.html").read_text() + (world / "findings.json").read_text()
    assert not re.search(r"7700\d{5}|secret-person", written)


def test_mlflow_has_the_report_of_a_stop(world: "World", texts: pd.DataFrame, fails: Fails) -> None:
    from tidegate.tracking import run_data
    from tidegate.tracking.store import connect

    world.lay(orders=texts.assign(shop="west"))
    world.run("ingest")
    lines = [fails(world, "validate")[-1] for _ in range(2)]
    assert lines[0] == lines[1]  # one run, however often it is asked
    found = re.search(r"MLflow has the report in validate/ of run (\w+);", lines[0])
    assert found
    client = connect()
    run = client.get_run(found[1])
    assert (run.info.status, run.data.tags["tidegate.validation"]) == ("FAILED", "refused")
    assert run.data.tags["tidegate.data"] == world.json("manifest")["data"]
    assert run_data.text(client, found[1], "validate/report.html") == (world / "validate.html").read_text()
    assert run_data.text(client, found[1], "validate/findings.json") == (world / "findings.json").read_text()


def test_an_mlflow_that_does_not_answer_hides_no_violation(
    world: "World", texts: pd.DataFrame, fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    world.lay(orders=texts.assign(shop="west"))
    world.run("ingest")
    lines = fails(world, "validate")
    assert lines[0].startswith("orders: bad rows: expected at most 1.00%, found 100.00%")
    assert "MLflow does not have the report: http://127.0.0.1:9: expected an MLflow server that answers" in lines[1]


def test_the_page_shows_what_came_the_worst_first(world: "World", texts: pd.DataFrame) -> None:
    texts.loc[:3, "kept_days"] = "100"
    texts.loc[4:5, "shop"] = "west"
    check(world, texts)
    page = (world / "validate.html").read_text()
    columns = re.findall(r'<th scope="row">(\w+)</th><td>\w+', page)
    assert columns[:5] == ["kept_days", "shop", "at", "id", "price"]
    assert 'aria-label="values of price from' in page
    assert 'aria-label="shares of the most frequent values of shop"' in page
    assert "values of id" not in page
    found = world.json("findings")["tables"]["orders"]["columns"]
    assert sum(found["price"]["bins"]) == 1560
    assert found["id"] == {"nulls": 0}


def labelled(world: "World", texts: pd.DataFrame, values: str) -> pd.DataFrame:
    """The orders with an answer in words, which is the label."""
    world.edit(
        "contract.yaml",
        ("label: returned", "label: answer"),
        ("      price: {", f"      answer: {{type: text, role: label, values: {values}}}\n      price: {{"),
    )
    return texts.assign(answer=["yes" if row % 4 == 0 else "no" for row in range(len(texts))])


@pytest.mark.parametrize("word", ["Yes", "yes ", "maybe"])
def test_another_spelling_of_the_label_stops_the_run(
    word: str, world: "World", texts: pd.DataFrame, fails: Fails, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """However few they are: features.sql compares with one spelling, and would take another one for no."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    frame = labelled(world, texts, "[yes, no]")
    frame.loc[5, "answer"] = word
    world.lay(orders=frame)
    world.run("ingest", until="2024-05-10")
    lines = fails(world, "validate")
    assert lines[0] == f"orders: label answer: expected one of yes, no, found {word!r} in 1 row"


def test_a_batch_of_one_answer_is_named(
    world: "World", texts: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = labelled(world, texts, "[yes, no]")
    check(world, frame)
    assert "warnings" not in world.json("findings")["tables"]["orders"]
    frame.loc[frame["at"].astype(str) >= "2024-04-12", "answer"] = "no"
    capsys.readouterr()
    check(world, frame)
    (line,) = world.json("findings")["tables"]["orders"]["warnings"]
    expected = (
        "label answer: expected several answers as before (25.0% were others), found 'no' in all 336 rows of the batch"
    )
    assert line == expected
    assert capsys.readouterr().err == f"warning: orders: {expected}\n"
    assert expected.replace("'", "&#39;") in (world / "validate.html").read_text()
