"""Everything that can be wrong in contract.yaml is one line that names the place."""

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from components.contract import interval, literal, parse_contract, quoted, read_contract
from components.errors import ContractError

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
        ("name: toy", "name:", "contract.yaml: name: expected a text, found None"),
        ("    files: orders.csv\n", "", "contract.yaml: tables.orders: expected all of .*, found no files"),
        ("files: rates.csv", "files: 5", "contract.yaml: tables.rates.files: expected a text, found 5"),
        (
            "key: [at, id]",
            "key: [at, nr]",
            "contract.yaml: tables.orders: expected its time and key among .*, found nr",
        ),
        ("key: [at, id]", "key: id", "contract.yaml: tables.orders.key: expected a list, found 'id'"),
        ("key: [at, id]", "key: [at, customer]", "contract.yaml: tables.orders.columns.customer: .*, found private"),
        (
            "    time: at\n    key: [at, id]",
            "    key: [at, id]",
            "contract.yaml: tables.orders: expected a time column",
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
            "contract.yaml: tables.orders.columns.id: expected names with values, found str",
        ),
        ("role: outcome", "role: secret", "contract.yaml: tables.orders.columns.kept_days.role: .*, found 'secret'"),
        ("nullable: true}", "nullable: yes}", "contract.yaml: tables.orders.columns.price.nullable: .*, found 'yes'"),
        ("range: [0, 1000]", "range: [1000, 0]", r"contract.yaml: tables.orders.columns.price.range: .*\[1000, 0\]"),
        ("range: [0, 1000]", "range: [0]", r"contract.yaml: tables.orders.columns.price.range: expected two.*\[0\]"),
        (
            "range: [0, 1000]",
            "range: [a, b]",
            "contract.yaml: tables.orders.columns.price.range: expected two numbers",
        ),
        ("range: [0, 1000]", "range: 5", "contract.yaml: tables.orders.columns.price.range: expected a list, found 5"),
        ("range: [0, 1000]", "ranges: [0, 1000]", "contract.yaml: tables.orders.columns.price: .*, found 'ranges'"),
        (
            "values: [north, south]",
            "values: north",
            "contract.yaml: tables.orders.columns.shop.values: expected a list",
        ),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_place(old: str, new: str, told: str, world: "World") -> None:
    world.edit("contract.yaml", (old, new))
    with pytest.raises(ContractError, match=f"^{told}") as caught:
        parse_contract((world / "contract.yaml").read_text())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected names with values, found NoneType"),
        ("- a", "expected names with values, found list"),
        ("name: toy", "contract.yaml: tables: expected names with values, found NoneType"),
        ("tables: {a: }", "contract.yaml: tables.a: expected names with values, found NoneType"),
        ("tables: {a: {files: x}}", "contract.yaml: tables.a.columns: expected names with values, found NoneType"),
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
