"""Everything that can be wrong in contract.yaml is one line that names the place."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from components.contract import interval, literal, parse_contract, quoted, read_contract, schema
from components.errors import ContractError
from components.schema import faults

if TYPE_CHECKING:
    from tests.components.conftest import World

root = Path(__file__).parents[2]


def test_the_sample_is_read(world: "World") -> None:
    contract = read_contract(root / "contract.yaml")
    assert contract.identity == ["time_hour", "carrier", "flight"]
    assert contract.tables["flights"].outcomes() == ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]
    assert contract.tables["weather"].order() == '"time_hour", "origin"'
    assert (contract.tables["planes"].time, contract.tables["planes"].order()) == (None, '"tailnum"')
    assert contract.tables["flights"].columns["origin"].values == ("EWR", "JFK", "LGA")


def test_private_columns_are_not_visible(world: "World") -> None:
    assert list(read_contract(world / "contract.yaml").tables["orders"].visible()) == [
        "at",
        "id",
        "shop",
        "price",
        "kept_days",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "task: binary",
            "task: ranking",
            "contract.yaml: task: expected one of binary, multiclass, regression, found 'ranking'",
        ),
        ("event: orders", "event: order", "contract.yaml: event: expected one of orders, rates, found 'order'"),
        ("horizon: 6h\n", "", "contract.yaml: expected all of .*, found no horizon"),
        ("horizon: 6h", "horizon: 6 h", "contract.yaml: horizon: expected a number and m, h, d or w.*, found '6 h'"),
        ("horizon: 6h", "horizon: 6", "contract.yaml: horizon: expected a text, found 6"),
        ("label_delay: 1d", "label_delay: -1d", "contract.yaml: label_delay: expected a number .*, found '-1d'"),
        ("block: 1d", "block: soon", "contract.yaml: block: expected a number .*, found 'soon'"),
        ("block: 1d", "block: 0d", "contract.yaml: block: expected a duration above 0, found 0d"),
        ("block: 1d", "blocks: 1d", "contract.yaml: expected one of name, .*, found 'blocks'"),
        ("slices: []", "slices: shop", "contract.yaml: slices: expected a list, found 'shop'"),
        ("name: toy", "name: [toy]", r"contract.yaml: name: expected a text, found \['toy'\]"),
        ("name: toy", "name:", "contract.yaml: name: expected a text, found nothing"),
        ("    files: orders.csv\n", "", "contract.yaml: tables.orders: expected all of .*, found no files"),
        ("files: rates.csv", "files: 5", "contract.yaml: tables.rates.files: expected a text, found 5"),
        (
            "key: [at, id]",
            "key: [at, nr]",
            "contract.yaml: tables.orders.key: expected one of its columns .*, found 'nr'",
        ),
        ("key: [at, id]", "key: id", "contract.yaml: tables.orders.key: expected a list, found 'id'"),
        (
            "key: [at, id]",
            "key: [at, customer]",
            r"contract.yaml:\d+: tables.orders.columns.customer: .*, found private",
        ),
        (
            "    time: at\n    key: [at, id]",
            "    key: [at, id]",
            r"contract.yaml:\d+: tables.orders: expected a time column",
        ),
        (
            "time: at\n    key: [at, id]",
            "time: id\n    key: [at, id]",
            "contract.yaml: tables.orders.time: .*integer id",
        ),
        (
            "missing: NA\n    time: at\n    key: [at]",
            "missing: -1\n    time: at\n    key: [at]",
            "contract.yaml: tables.rates.missing: expected a text, found -1",
        ),
        ("{type: integer}", "{type: int}", "contract.yaml: tables.orders.columns.id.type: .*, found 'int'"),
        ("{type: integer}", "{type: [integer]}", "contract.yaml: tables.orders.columns.id.type: expected a text"),
        ("{type: integer}", "{}", "contract.yaml: tables.orders.columns.id: expected all of .*, found no type"),
        (
            "{type: integer}",
            "integer",
            "contract.yaml: tables.orders.columns.id: expected names with values, found 'integer'",
        ),
        ("role: outcome", "role: secret", "contract.yaml: tables.orders.columns.kept_days.role: .*, found 'secret'"),
        ("nullable: true}", "nullable: yes}", "contract.yaml: tables.orders.columns.price.nullable: .*, found 'yes'"),
        ("range: [0, 1000]", "range: [1000, 0]", r"contract.yaml: tables.orders.columns.price.range: .*\[1000, 0\]"),
        (
            "range: [0, 1000]",
            "range: [0]",
            r"contract.yaml: tables.orders.columns.price.range: expected 2 values.*\[0\]",
        ),
        (
            "range: [0, 1000]",
            "range: [a, b]",
            "contract.yaml: tables.orders.columns.price.range.0: expected a number, found 'a'",
        ),
        ("range: [0, 1000]", "range: 5", "contract.yaml: tables.orders.columns.price.range: expected a list, found 5"),
        ("range: [0, 1000]", "ranges: [0, 1000]", "contract.yaml: tables.orders.columns.price: .*, found 'ranges'"),
        ("rates.csv", "rates.csv\n    freshness: soon", "contract.yaml:25: tables.rates.freshness: .*, found 'soon'"),
        ("rates.csv", "rates.csv\n    rows_per: {day: [1, 2]}", "contract.yaml:25: tables.rates.rows_per: .*'day'"),
        ("rates.csv", "rates.csv\n    rows_per: {1d: [2, 1]}", "contract.yaml:25: tables.rates.rows_per.1d: .*2, 1"),
        ("rates.csv", "rates.csv\n    rows_per: {1d: 5}", "contract.yaml:25: tables.rates.rows_per.1d: .* a list"),
        ("rates.csv", "rates.csv\n    rules: [a]", "contract.yaml:25: tables.rates.rules: expected names with values"),
        (
            "rates.csv",
            "rates.csv\n    references: {at: orders}",
            "contract.yaml:25: .*: expected table.column, .*'orders'",
        ),
        ("rates.csv", "rates.csv\n    references: {at: order.at}", "contract.yaml:25: .*mean 'orders'"),
        ("rates.csv", "rates.csv\n    references: {at: orders.a}", "contract.yaml:25: .*one of at, id, .*found 'a'"),
        (
            "rates.csv",
            "rates.csv\n    references: {at: orders.id}",
            "contract.yaml:25: .*of type timestamp, found integer",
        ),
        ("rates.csv", "rates.csv\n    references: {a: orders.at}", "contract.yaml:25: .*one of at, rate, found 'a'"),
        (
            "{type: integer}",
            "{type: integer, role: key, unique: 1}",
            "contract.yaml: .*unique: expected true or false",
        ),
        ("price: {type: number,", "price: {type: number, role: key,", "contract.yaml: .*price.role: .*at, id.*price"),
        ("price: {type: number,", "price: {type: number, role: slices,", "contract.yaml: .*did you mean 'slice'"),
        ("role: outcome", "role: label", r"contract.yaml: .*kept_days.role: .*\(returned\), found kept_days"),
        ("rate: {type: number,", "rate: {type: number, role: slice,", "contract.yaml: .*event table orders"),
        (
            "{type: integer}",
            "{type: text, range: [0, 1]}",
            "contract.yaml: .*id.range: expected a range of an integer",
        ),
        (
            "{type: number, nullable: true}",
            "{type: number, values: [1]}",
            "contract.yaml: .*rate.values: .*found number",
        ),
        (
            "values: [north, south]",
            "values: north",
            "contract.yaml: tables.orders.columns.shop.values: expected a list",
        ),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_place(old: str, new: str, told: str, world: "World") -> None:
    world.edit("contract.yaml", (old, new))
    told = told.replace("contract.yaml: ", f"contract.yaml:{_line(world, new)}: ", 1)
    with pytest.raises(ContractError) as caught:
        parse_contract((world / "contract.yaml").read_text())
    lines = str(caught.value).splitlines()
    assert [line for line in lines if re.match(told, line)], str(caught.value)
    assert all(re.match(r"contract\.yaml:\d+: .*expected .*, found .*; mend it$", line) for line in lines)


def test_every_wrong_thing_is_told_at_its_line(world: "World") -> None:
    world.edit(
        "contract.yaml",
        ("task: binary", "task: binry"),
        ("role: private", "role: privat"),
        ("rate: {type: number, nullable: true}", "rate: {type: number, nulable: true}"),
    )
    with pytest.raises(ContractError) as caught:
        read_contract(world / "contract.yaml")
    roles = "feature, outcome, label, time, key, slice, private"
    assert str(caught.value).replace(f"{world.folder}/", "").splitlines() == [
        "contract.yaml:3: task: expected one of binary, multiclass, regression, found 'binry' "
        "(did you mean 'binary'?); mend it",
        f"contract.yaml:21: tables.orders.columns.customer.role: expected one of {roles}, "
        "found 'privat' (did you mean 'private'?); mend it",
        "contract.yaml:30: tables.rates.columns.rate: expected one of type, role, unit, nullable, unique, range, "
        "values, found 'nulable' (did you mean 'nullable'?); mend it",
    ]


def test_roles_on_columns_say_what_the_table_and_the_problem_say(world: "World") -> None:
    before = parse_contract((world / "contract.yaml").read_text())
    world.edit(
        "contract.yaml",
        ("    time: at\n    key: [at, id]\n", ""),
        (
            "at: {type: timestamp}\n      id: {type: integer}",
            "at: {type: timestamp, role: time}\n      id: {type: integer, role: key}",
        ),
        ("shop: {type: text,", "shop: {type: text, role: slice,"),
    )
    after = parse_contract((world / "contract.yaml").read_text())
    assert (after.time, after.identity, after.slices) == (before.time, before.identity, ("shop",))


def test_a_label_is_known_only_after_the_event(world: "World") -> None:
    world.edit("contract.yaml", ("label: returned", "label: kept_days"), ("role: outcome", "role: label"))
    contract = parse_contract((world / "contract.yaml").read_text())
    assert contract.tables["orders"].outcomes() == ["kept_days"]


def test_editors_are_offered_the_schema_and_it_is_one() -> None:
    from components.inspection.infer import top

    first = top.splitlines()[0]
    assert json.loads((root / first.removeprefix("# yaml-language-server: $schema=")).read_text()) == schema()


def test_a_keyword_that_nobody_checks_is_an_error() -> None:
    with pytest.raises(ValueError, match="multipleOf"):
        faults(5, {"type": "integer", "multipleOf": 3})


def _line(world: "World", new: str) -> str:
    """The line of what was put in, a pattern for any where something was taken out."""
    lines = (world / "contract.yaml").read_text().splitlines()
    found = [number for number, line in enumerate(lines, start=1) if new and new in line]
    return str(found[0]) if len(found) == 1 else r"\d+"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "contract.yaml:1: expected names with values, found nothing"),
        ("- a", r"contract.yaml:1: expected names with values, found \['a'\]"),
        ("name: toy", "contract.yaml:1: expected all of .*, found no .*, tables"),
        ("\ntables: {a: }", "contract.yaml:2: tables.a: expected names with values, found nothing"),
        ("tables: {a: {files: x}}", "contract.yaml:1: tables.a: expected all of files, columns, found no columns"),
    ],
)
def test_what_is_missing_is_one_line_that_names_the_place(text: str, told: str) -> None:
    with pytest.raises(ContractError, match=told):
        parse_contract(text)


@pytest.mark.parametrize(("duration", "minutes"), [("90m", 90), ("6h", 360), ("1d", 1440), ("2w", 20160), ("0h", 0)])
def test_durations_are_intervals(duration: str, minutes: int) -> None:
    found = duckdb.connect().execute(f"SELECT epoch({interval(duration)})").fetchall()[0][0]
    assert found == minutes * 60


@pytest.mark.parametrize("duration", ["", "6", "h", "1.5h", "-1d", "1y", "1d ", "1d 2h", "1d\n"])
def test_what_is_no_duration_is_told(duration: str) -> None:
    with pytest.raises(ContractError, match=r"duration: expected a number and m, h, d or w"):
        interval(duration)


@pytest.mark.parametrize("name", ["plain", 'a "b"', "it's", "semi;colon -- x"])
def test_names_and_texts_cannot_leave_their_quotes(name: str) -> None:
    row = duckdb.connect().execute(f"SELECT {literal(name)} AS {quoted(name)}").df()
    assert row.to_dict("records") == [{name: name}]
