"""Everything that can be wrong in contract.yaml is one line that names the place."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tests.tiers import large
from tests.toy import CONTRACT
from tidegate.contract.contract import literal, parse_contract, quoted, read_contract, schema
from tidegate.documents.schema import faults, hint
from tidegate.process.errors import ContractError, InputError

if TYPE_CHECKING:
    from tests.toy import World

root = Path(__file__).parents[3]


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
            "contract.yaml: tables.rates.missing: expected a text or a list, found -1",
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
        (
            "rates.csv",
            "rates.csv\n    delimiter: ', '",
            "contract.yaml:25: tables.rates.delimiter: expected one character",
        ),
        (
            "rates.csv",
            "rates.csv\n    encoding: klingon",
            "contract.yaml:25: tables.rates.encoding: .*found klingon",
        ),
        ("rates.csv", "rates.csv\n    encoding: hex", "contract.yaml:25: tables.rates.encoding: .*such as utf-8"),
        (
            "{type: integer}",
            "{type: integer, format: '%d'}",
            r"contract.yaml:\d+: tables.\w+.columns.id.format: expected one of '1234,5', .*'%d'",
        ),
        (
            "{type: timestamp}",
            "{type: timestamp, format: '%d/%m'}",
            r"contract.yaml:\d+: tables.\w+.columns.at.format: expected a format with %Y or",
        ),
        (
            "{type: timestamp}",
            "{type: timestamp, format: '%Q %Y'}",
            r"contract.yaml:\d+: tables.\w+.columns.at.format: expected a format with %Y or",
        ),
        (
            "{type: text, values",
            "{type: text, format: '%Y', values",
            r"contract.yaml:\d+: tables.\w+.columns.shop.format: expected a format of a timest",
        ),
        (
            "{type: integer}",
            "{type: integer, since: soon}",
            r"contract.yaml:\d+: tables.\w+.columns.id.since: expected a date such as",
        ),
        (
            "{type: integer}",
            "{type: integer, since: '2024-02-30'}",
            r"contract.yaml:\d+: tables.\w+.columns.id.since: expected a day, found 2024-02-30",
        ),
        (
            "    key: [at, id]\n    columns:\n      at: {type: timestamp}\n      id: {type: integer}",
            "    key: [at, id]\n    source: {files: orders.csv}\n    columns:\n      at: {type: timestamp}\n"
            "      id: {type: integer, from: nr}",
            r"contract.yaml:\d+: tables.\w+.columns.id.from: expected the usual spelling .*, found `from`",
        ),
        ("label: returned", "label: Prediction", "contract.yaml:5: label: expected a name that Tidegate does not use"),
        (
            "key: [at, id]\n    columns:\n      at: {type: timestamp}\n      id:",
            "key: [at, split]\n    columns:\n      at: {type: timestamp}\n      split:",
            r"contract.yaml:\d+: tables.orders.columns: expected a name .*found split; give the",
        ),
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
        ("name: toy", "name: a/b", "contract.yaml: name: expected a name without /, : and control .*, found 'a/b'"),
        ("name: toy", r'name: "a\x1bb"', "contract.yaml: name: expected a name without /, : and control .*"),
        ("name: toy", r'name: "a\nb"', "contract.yaml: name: expected a name without /, : and control .*"),
        ("name: toy", "name: toy.batches", "contract.yaml: name: expected .* nor .batches, found 'toy.batches'"),
        ("name: toy", "name: 2024-01-31", "contract.yaml: name: expected a text, found 2024-01-31"),
        ("horizon: 6h", "horizon: 10080m", "contract.yaml: horizon: expected a number .*at most 9999, found '10080m'"),
        ("block: 1d", "block: |\n  1d", r"contract.yaml:\d+: block: expected a number .*, found '1d.n'"),
        ("slices: []", "slices: [1]", "contract.yaml: slices.0: expected a text, found 1"),
        ("  orders:\n", "  1:\n", r"contract.yaml:11: tables: expected a name in quotes, found 1"),
        ("  orders:\n", "  a.b:\n", r"contract.yaml:11: tables: expected a name without / .* and ., found 'a.b'"),
        (
            "  rates:\n",
            "  Orders:\n",
            "contract.yaml:23: tables: .*differs from orders in more than case, .*Orders",
        ),
        ("id: {type: integer}", "1: {type: integer}", "contract.yaml: tables.orders.columns: .*in quotes, found 1"),
        ("id: {type: integer}", "true: {type: integer}", "contract.yaml: tables.orders.columns: .*quotes, found true"),
        (
            "id: {type: integer}",
            "2024-01-31: {type: text}",
            "contract.yaml: tables.orders.columns: .*found 2024-01-31",
        ),
        ("id: {type: integer}", "[a, b]: {type: text}", r"contract.yaml: .*columns: .*quotes, found \('a', 'b'\)"),
        (
            "id: {type: integer}",
            "AT: {type: integer}",
            "contract.yaml: .*columns: .*differs from at in more .*found AT",
        ),
        ("id: {type: integer}", "id:", "contract.yaml: tables.orders.columns.id: expected names with .*found nothing"),
        ("type: integer}", "type: integer, 1: 2}", "contract.yaml: .*id: expected one of type, role, .*, found 1"),
        ("files: rates.csv", "files: /tmp/rates.csv", "contract.yaml: .*files: .*below data/, found /tmp/rates.csv"),
        ("files: rates.csv", "files: ../rates.csv", "contract.yaml: .*files: .*below data/, found ../rates.csv"),
        ("files: rates.csv", "files: a**/*.csv", "contract.yaml: .*rates.files: expected .* as the whole name"),
        (
            "files: rates.csv",
            'files: ""',
            "contract.yaml: tables.rates.files: expected at least 1 character, found ''",
        ),
        ("rate: {type: number,", "rate: {type: number, role: weight,", "contract.yaml: .*event table orders, .*rates"),
        ("shop: {type: text,", "shop: {type: text, role: weight,", "contract.yaml: .*shop.type: .*number, found text"),
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
    assert all(re.match(r"contract\.yaml:\d+: .*expected .*, found .*; (correct it|give .*)$", line) for line in lines)


NO_YAML = {
    "a tab": ("    files: orders", "\tfiles: orders", "contract.yaml:12: .*found a tab; indent with spaces"),
    "a key twice": ("task: binary", "task: binary\ntask: binary", 'contract.yaml:4: .*the duplicate key "task"; '),
    "a column twice": ("      id:", "      at:", 'contract.yaml:18: .*the duplicate key "at"; correct'),
    "wrong indentation": ("    time: at\n    key: [at, id]", "   time: at", "contract.yaml:14: .*indented unlike"),
    "a name too deep": ("task: binary", "  task: binary", "contract.yaml:3: .*a colon that .*or the one above"),
    "a colon too many": ("Will an order", "Will: it: an order", "contract.yaml:2: .*a colon that is not .*in quotes"),
    "a colon too few": ("task: binary", "task binary", "contract.yaml:3: .*found a name without a colon; correct"),
    "a quote left open": ("name: toy", "name: 'toy", "contract.yaml:1: .*a quote that is never closed; close it"),
    "a bracket left open": (
        "key: [at, id]",
        "key: [at, id",
        r"contract.yaml:16: .*no \] after the bracket of line 15",
    ),
    "a percent sign": ("unit: EUR", "unit: %", "contract.yaml:20: .*found % where a value begins; put .* quotes"),
    "a star": ("unit: EUR", "unit: *EUR", "contract.yaml:20: .*found the alias .EUR .*; put the text in quotes"),
    "an anchor of itself": ("slices: []", "slices: &a [*a]", "contract.yaml:9: .*an alias of a value that"),
    "a tag": ("name: toy", "name: !!python/name:os.system toy", "contract.yaml:1: .*the unknown tag .*python"),
    "a day that is none": ("name: toy", "name: 2024-13-45", "contract.yaml:1: .*2024-13-45, which is not a valid t"),
    "a number that is none": ("name: toy", "name: !!int toy", "contract.yaml:1: .*toy, which is not a valid int"),
    "infinity": ("[0, 1000]", "[-.inf, 5]", "contract.yaml:20: .*found -.inf, which is not a finite number; correct"),
    "not a number": ("[0, 1000]", "[.nan, 5]", "contract.yaml:20: .*found .nan, which is not a finite number; corr"),
    "a second document": ("task: binary", "---\ntask: binary", "contract.yaml:3: .*a second document; remove it"),
    "a character of no text": ("task: binary", "task: \0", r"contract.yaml:3: .*the character '.x00'; remove it"),
    "brackets without end": ("slices: []", "slices: " + "[" * 3000, "contract.yaml: .*nested too deeply; correct it"),
}


@pytest.mark.parametrize("case", NO_YAML)
def test_what_is_no_yaml_is_one_line_that_says_what_was_done(case: str, world: "World") -> None:
    old, new, expected = NO_YAML[case]
    world.edit("contract.yaml", (old, new))
    with pytest.raises(InputError) as caught:
        parse_contract((world / "contract.yaml").read_text())
    assert re.match(expected, str(caught.value)), str(caught.value)
    assert "expected YAML, found " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "contract.yaml: expected a file, found nothing; check the path"),
        ("folder", "contract.yaml: expected a file, found a folder; check the path"),
        (b"", "contract.yaml:1: expected names with values, found nothing; correct it"),
        (b"# nothing\n# yet\n", "contract.yaml:1: expected names with values, found nothing; correct it"),
        (b"name", "contract.yaml:1: expected names with values, found 'name'; correct it"),
        (b"PAR1\x15\x04\xff\xfe", "contract.yaml:1: expected UTF-8 text, found another encoding; save the file"),
        ("name: toy\n".encode("utf-16"), "contract.yaml:1: expected UTF-8 text, found another encoding; save"),
        (b"\x7fELF\n\x00", r"contract.yaml:1: expected YAML, found the character '\x7f'; remove it"),
    ],
)
def test_what_is_no_contract_at_all_is_one_line(content: Any, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "contract.yaml"
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_contract(file)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(expected)
    assert "\n" not in str(caught.value)


pieces = st.sampled_from(
    ["\t", "\n", "\n  ", ": ", "- ", "[", "}", "&a ", "*a ", "!!int ", "'", "1:", "~", ".inf", "\0"]
)
edits = st.tuples(st.floats(0, 1), st.integers(0, 12), pieces | st.text(max_size=3))


@settings(max_examples=large(10_000, 1_000), deadline=None, derandomize=True)
@given(st.lists(edits, min_size=1, max_size=3))
def test_whatever_is_done_to_a_contract_it_is_read_or_told(changes: list[tuple[float, int, str]]) -> None:
    text = (root / "contract.yaml").read_text()[:1000]
    for share, removed, put in changes:
        place = int(share * len(text))
        text = text[:place] + put + text[place + removed :]
    try:
        parse_contract(text)
    except InputError as error:
        assert all(re.match(r"contract\.yaml(:\d+)?: .*expected .*, found ", line) for line in str(error).splitlines())


def test_yaml_may_be_written_as_yaml_can_be(world: "World") -> None:
    """Names that are words elsewhere, anchors, merged promises, a byte order mark, the ends of lines of Windows."""
    world.edit(
        "contract.yaml",
        ("      shop:", "      yes: &promise {type: text, nullable: true}\n      off: {<<: *promise}\n      shop:"),
    )
    text = "\ufeff" + (world / "contract.yaml").read_text().replace("\n", "\r\n")
    (world / "contract.yaml").write_text(text, encoding="utf-8", newline="")
    columns = read_contract(world / "contract.yaml").tables["orders"].columns
    assert columns["yes"] == columns["off"]
    assert columns["off"].nullable


def test_each_of_very_many_faults_is_told_at_its_own_line(world: "World") -> None:
    many = "".join(f"      c{number}: {{type: numbre}}\n" for number in range(300))
    world.edit("contract.yaml", ("      shop:", f"{many}      shop:"))
    with pytest.raises(ContractError) as caught:
        parse_contract((world / "contract.yaml").read_text())
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"contract.yaml:{number}" for number in range(19, 319)]
    assert lines[7].startswith("contract.yaml:26: tables.orders.columns.c7.type: expected one of ")


def test_every_wrong_thing_is_told_at_its_line(world: "World") -> None:
    world.edit(
        "contract.yaml",
        ("task: binary", "task: binry"),
        ("role: private", "role: privat"),
        ("rate: {type: number, nullable: true}", "rate: {type: number, nulable: true}"),
    )
    with pytest.raises(ContractError) as caught:
        read_contract(world / "contract.yaml")
    roles = "feature, outcome, label, time, key, slice, weight, private"
    assert str(caught.value).replace(f"{world.folder}/", "").splitlines() == [
        "contract.yaml:3: task: expected one of binary, multiclass, regression, found 'binry' "
        "(did you mean 'binary'?); correct it",
        f"contract.yaml:21: tables.orders.columns.customer.role: expected one of {roles}, "
        "found 'privat' (did you mean 'private'?); correct it",
        "contract.yaml:30: tables.rates.columns.rate: expected one of type, role, unit, format, from, missing, "
        "since, nullable, unique, range, "
        "values, found 'nulable' (did you mean 'nullable'?); correct it",
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


def test_a_weight_is_one_number_of_the_event_table(world: "World") -> None:
    world.edit("contract.yaml", ("price: {type: number,", "price: {type: number, role: weight,"))
    assert parse_contract((world / "contract.yaml").read_text()).weight == "price"
    world.edit("contract.yaml", ("slices: []", "slices: []\nweight: price"))
    assert parse_contract((world / "contract.yaml").read_text()).weight == "price"
    world.edit("contract.yaml", ("weight: price", "weight: id"))
    with pytest.raises(ContractError, match=r"price\.role: expected one weight \(id\), found price"):
        parse_contract((world / "contract.yaml").read_text())
    world.edit("contract.yaml", ("\nweight: id", ""), ("id: {type: integer}", "id: {type: integer, role: weight}"))
    with pytest.raises(ContractError, match=r"price\.role: expected one weight \(id\), found price"):
        parse_contract((world / "contract.yaml").read_text())


def test_something_is_known_only_after_the_event(world: "World") -> None:
    text = (world / "contract.yaml").read_text().replace(", role: outcome", "")
    assert parse_contract(text).tables["orders"].outcomes() == []  # a label may come from later rates
    text = text[: text.index("  rates:")]
    with pytest.raises(ContractError) as caught:
        parse_contract(text)
    assert str(caught.value) == (
        "contract.yaml:11: tables.orders: expected a column with the role outcome or label, from which the label is "
        "computed, found none; say which columns are known only after the event"
    )


@pytest.mark.parametrize("rates", [True, False])
def test_the_label_is_no_feature(rates: bool, world: "World") -> None:
    text = (world / "contract.yaml").read_text().replace("label: returned", "label: kept_days")
    text = text.replace("role: outcome", "role: feature")
    text = text if rates else text[: text.index("  rates:")]
    with pytest.raises(ContractError) as caught:
        parse_contract(text)
    assert str(caught.value) == (
        "contract.yaml:22: tables.orders.columns.kept_days: expected the role label, because it is predicted, "
        "found the role feature; add role: label"
    )


def test_editors_are_offered_the_schema_and_it_is_one() -> None:
    from tidegate.commands.draft.inference import TOP

    first = TOP.splitlines()[0]
    assert json.loads((root / first.removeprefix("# yaml-language-server: $schema=")).read_text()) == schema()


def test_the_schema_is_one_of_draft_7_and_describes_every_key() -> None:
    Draft7Validator.check_schema(schema())
    parts = [schema(), *schema()["definitions"].values()]
    keys = {name: key for part in parts for name, key in part.get("properties", {}).items()}
    assert len(keys) > 20
    assert [name for name, key in keys.items() if not key.get("description")] == []


@pytest.mark.parametrize(
    ("value", "schema", "expected", "found"),
    [
        (5, {"type": "integer", "maximum": 3}, "at most 3", "5"),
        (-1, {"minimum": 0, "maximum": 1}, "at least 0 and at most 1", "-1"),
        (5.0, {"type": "integer"}, "a whole number", "5.0"),
        (True, {"type": ["number", "string"]}, "a number or a text", "true"),
        (5, {"multipleOf": 3}, "multipleOf 3", "5"),
        ("", {"minLength": 1}, "at least 1 character", "''"),
        ([1, 2, 3], {"maxItems": 2}, "at most 2 values", "[1, 2, 3]"),
        ({}, {"minProperties": 1}, "at least 1 name", "{}"),
        ("x" * 500, {"type": "integer"}, "a whole number", repr("x" * 37 + "..." + "x" * 38)),
    ],
)
def test_every_keyword_is_checked_and_told_in_words(value: object, schema: Any, expected: str, found: str) -> None:
    (fault,) = faults(value, schema)
    assert (fault.expected, fault.found) == (expected, found)


def test_of_many_names_only_some_are_told() -> None:
    known = {"additionalProperties": False, "properties": {f"name{number}": {} for number in range(1000)}}
    (fault,) = faults({"nane7": 1}, known)
    assert fault.expected.endswith("name29 and 970 more")
    assert fault.found == hint("nane7", ["name7"]) == "'nane7' (did you mean 'name7'?)"


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


@pytest.mark.parametrize("name", ["plain", 'a "b"', "it's", "semi;colon -- x"])
def test_names_and_texts_cannot_leave_their_quotes(name: str) -> None:
    row = duckdb.connect().execute(f"SELECT {literal(name)} AS {quoted(name)}").df()
    assert row.to_dict("records") == [{name: name}]


def test_names_are_told_apart_as_sql_does() -> None:
    """Accents and other alphabets count, capitals of ASCII do not."""
    columns = "      rate: {type: number, nullable: true}\n"
    found = parse_contract(CONTRACT.replace(columns, columns + "      É: {type: text}\n      é: {type: text}\n"))
    assert list(found.tables["rates"].columns)[-2:] == ["É", "é"]
    with pytest.raises(ContractError, match="a name that differs from rate in more than case"):
        parse_contract(CONTRACT.replace(columns, columns + "      Rate: {type: text}\n"))


def test_a_column_says_how_its_files_spell_it() -> None:
    line = (
        "{type: timestamp, from: [Date, Time], format: '%d/%m/%Y %H.%M.%S', missing: ['?', -200], since: '2024-01-01'}"
    )
    column = parse_contract(CONTRACT.replace("at: {type: timestamp}", f"at: {line}", 1)).tables["orders"].columns["at"]
    assert (column.made_of, column.format) == (("Date", "Time"), "%d/%m/%Y %H.%M.%S")
    assert (column.missing, column.since) == (("?", -200), "2024-01-01")
    one = parse_contract(CONTRACT.replace("id: {type: integer}", "id: {type: integer, from: nr}", 1))
    assert one.tables["orders"].columns["id"].made_of == ("nr",)
