"""Before data is committed: a file is checked by the pipeline's rules, a contract is drafted, two are compared."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

from tidegate.commands.draft.difference import diff
from tidegate.commands.draft.file_check import check
from tidegate.commands.draft.inference import infer
from tidegate.contract.contract import parse_contract
from tidegate.process.errors import InputError, SchemaSkewError

if TYPE_CHECKING:
    from tests.toy import World

Builders = dict[str, Callable[..., pd.DataFrame]]


def checked(
    world: "World", capsys: pytest.CaptureFixture[str], frame: pd.DataFrame, until: str = "", name: str = "new.csv"
) -> tuple[Any, list[str]]:
    """The findings of a file that is not yet among the data, and its violations."""
    file = world / name
    frame.to_csv(file, index=False, na_rep="NA")
    lines: list[str] = []
    try:
        check(file, "orders", world / "contract.yaml", world / "data", until, 0.01)
    except SchemaSkewError as error:
        lines = str(error).splitlines()
    return json.loads(capsys.readouterr().out), lines


def compared(old: Path, new: Path, capsys: pytest.CaptureFixture[str], table: str = "") -> dict[str, tuple[str, str]]:
    diff(old, new, table)
    return {change["place"]: (change["old"], change["new"]) for change in json.loads(capsys.readouterr().out)}


def test_a_good_file_is_accepted_wherever_it_lies(
    world: "World", builders: Builders, capsys: pytest.CaptureFixture[str]
) -> None:
    found, lines = checked(world, capsys, builders["orders"]())
    assert (found["accepted"], found["tables"]["orders"]["rows"], found["unchecked"], lines) == (True, 1560, [], [])


@pytest.mark.parametrize(("ending", "codec"), [(".csv.gz", "gzip"), (".csv.zst", "zstd")])
def test_a_compressed_file_is_read(
    ending: str, codec: str, world: "World", capsys: pytest.CaptureFixture[str]
) -> None:
    file = world / f"new{ending}"
    with pa.output_stream(str(file), compression=codec) as stream:
        stream.write((world / "data/orders.csv").read_bytes())
    check(file, "orders", world / "contract.yaml", world / "data", "", 0.01)
    assert json.loads(capsys.readouterr().out)["tables"]["orders"]["rows"] == 1560


def test_every_violation_of_a_file_is_told_without_values_of_keys(
    world: "World", builders: Builders, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = builders["orders"]().rename(columns={"shop": "shops"})
    frame.loc[:99, "price"] = -5
    found, lines = checked(world, capsys, pd.concat([frame, frame.iloc[[7]]]))
    assert not found["accepted"]
    assert lines[:-1] == [
        "orders: column shop: expected a column of type text, found none (did you mean 'shops'?)",
        "orders: key: expected unique rows, found 2 rows that share their key, 2 of which are whole duplicates",
        "orders: bad rows: expected at most 1.00%, found 6.47% (101 of 1,561): price: 0 to 1000 "
        "(101 rows, such as '-5.0' in row 1 of the table)",
    ]
    assert "secret-" not in json.dumps(found)


def test_references_and_freshness_are_checked_where_they_can_be(
    world: "World", builders: Builders, capsys: pytest.CaptureFixture[str]
) -> None:
    world.edit(
        "contract.yaml", ("    key: [at, id]", "    key: [at, id]\n    references: {at: rates.at}\n    freshness: 1d")
    )
    frame = builders["orders"]()
    found, lines = checked(world, capsys, frame)
    assert (found["unchecked"], lines) == (["freshness: no --until"], [])
    _, lines = checked(world, capsys, frame, until="2024-05-12")
    assert lines[0] == "orders: freshness: expected the latest row at most 1d old at 2024-05-12, found 2d 2h"
    (world / "data/rates.csv").unlink()
    found, _ = checked(world, capsys, frame, until="2024-05-10")
    assert found["unchecked"] == [f"reference to rates: no files in {world / 'data'}"]
    assert found["accepted"]


@pytest.mark.parametrize(
    ("file", "table", "told"),
    [
        ("data/orders.csv", "order", "--table: expected one of orders, rates, found 'order' .did you mean 'orders'"),
        ("data/order.csv", "orders", "data/order.csv: expected a file, found nothing"),
    ],
)
def test_what_is_not_there_is_told(file: str, table: str, told: str, world: "World") -> None:
    with pytest.raises(InputError, match=told):
        check(world / file, table, world / "contract.yaml", world / "data", "", 0.01)


def test_a_draft_is_a_contract_that_its_data_keeps(
    world: "World", builders: Builders, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = builders["orders"]().rename(columns={"customer": "customer_email"}).assign(code="007", gift="true")
    frame.loc[3, "price"] = None
    world.lay(orders=frame)
    infer(f"{world / 'data/orders.csv'}\n{world / 'data/rates.csv'}", "yaml")
    text = capsys.readouterr().out
    (world / "contract.yaml").write_text(text)
    orders = parse_contract(text).tables["orders"]
    assert (orders.time, orders.key, orders.missing) == ("at", ("at",), ("NA",))
    columns = orders.columns
    assert {name: column.type for name, column in columns.items()} == {
        "at": "timestamp",
        "id": "integer",
        "shop": "text",
        "price": "number",
        "customer_email": "text",
        "kept_days": "integer",
        "code": "text",  # a number would lose its zeros
        "gift": "boolean",
    }
    assert (columns["price"].nullable, columns["shop"].nullable) == (True, False)
    assert (columns["shop"].values, columns["kept_days"].range) == (("north", "south"), (7, 30))
    assert columns["customer_email"].role == "private"
    assert "secret-" not in text
    assert text.count("check this") >= 8
    world.run("ingest", "validate", until="2024-05-10")
    assert world.table("quarantine/orders").empty


@pytest.mark.parametrize(("cells", "missing"), [(("NA", ""), ("NA", "")), (("NA", "NA"), ("NA",)), (("", ""), ("",))])
def test_a_draft_names_each_spelling_of_a_missing_value(
    cells: tuple[str, str], missing: tuple[str, ...], world: "World", capsys: pytest.CaptureFixture[str]
) -> None:
    path = world / "data/orders.csv"
    one, other = cells
    path.write_text(f"at,id,price\n2024-01-01,1,{one}\n2024-01-02,2,{other}\n2024-01-03,3,7\n")
    infer(str(path), "yaml")
    text = capsys.readouterr().out.replace("nullable: true", "nullable: true, role: outcome")
    table = parse_contract(text).tables["orders"]
    assert (table.missing, table.columns["price"].type, table.columns["price"].nullable) == (missing, "integer", True)
    (world / "contract.yaml").write_text(text)
    world.run("ingest", "validate", until="2024-01-04")
    assert world.table("quarantine/orders").empty
    assert world.table("clean/orders")["price"].isna().sum() == 2


def test_texts_of_parquet_are_never_missing(world: "World", capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"at": pd.to_datetime(["2024-01-01"]), "note": ["NA"]}).to_parquet(world / "data/orders.parquet")
    infer(str(world / "data/orders.parquet"), "json")
    assert "missing" not in json.loads(capsys.readouterr().out)["orders"]


def test_what_a_file_does_not_tell_is_not_guessed(
    world: "World", builders: Builders, capsys: pytest.CaptureFixture[str]
) -> None:
    """Columns without a value go no further, and that is said; nothing becomes the label, the weight or an outcome."""
    frame = builders["orders"]().assign(returned="yes", weight=2, target=1, note=None, **{"a: b #": None})
    frame.to_csv(world / "data/orders.csv", index=False)
    infer(f"{world / 'data/orders.csv'}\n{world / 'data/rates.csv'}", "yaml")
    text = capsys.readouterr().out
    assert "      note: {type: text, role: private, nullable: true}  # check this: no value in any row\n" in text
    assert "      'a: b #': {type: text, role: private, nullable: true}  # check this: no value in any row\n" in text
    with pytest.raises(InputError, match=r"columns\.label: expected the role label"):
        parse_contract(text.replace("returned:", "label:"))
    columns = parse_contract(text).tables["orders"].columns
    assert {name for name, column in columns.items() if column.role != "feature"} == {"note", "a: b #"}
    infer(str(world / "data/orders.csv"), "json")
    assert json.loads(capsys.readouterr().out)["orders"]["empty"] == ["note", "a: b #"]


def test_a_file_without_rows_is_drafted_by_its_header(world: "World", capsys: pytest.CaptureFixture[str]) -> None:
    (world / "data/orders.csv").write_text("id,note\n")
    infer(str(world / "data/orders.csv"), "json")
    found = json.loads(capsys.readouterr().out)["orders"]
    assert (list(found["columns"]), "empty" in found) == (["id", "note"], False)


def test_a_column_without_a_value_breaks_no_promise_but_that_of_values(
    world: "World", builders: Builders, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, other = builders["orders"](), world / "other.csv"
    frame.assign(price=None, kept_days=None, shop=None).to_csv(other, index=False, na_rep="NA")
    assert compared(world / "contract.yaml", other, capsys, "orders") == {
        "tables.orders.columns.shop.nullable": ("no", "yes")
    }
    found = compared(world / "data/orders.csv", other, capsys, "orders")
    assert found["tables.orders.columns.price.type"] == ("number", "empty")


def test_contracts_are_compared_place_by_place(world: "World", capsys: pytest.CaptureFixture[str]) -> None:
    old = world / "old.yaml"
    old.write_text((world / "contract.yaml").read_text())
    assert compared(old, world / "contract.yaml", capsys) == {}
    world.edit(
        "contract.yaml",
        ("range: [0, 1000]", "range: [0, 2000]"),
        ("rate: {type: number,", "rate: {type: number, unit: EUR,"),
        ("horizon: 6h", "horizon: 1d"),
        ("unit: EUR, range", "role: weight, range"),
    )
    assert compared(old, world / "contract.yaml", capsys) == {
        "horizon": ("6h", "1d"),
        "tables.orders.columns.price.range": ("0, 1000", "0, 2000"),
        "tables.orders.columns.price.role": ("feature", "weight"),
        "tables.orders.columns.price.unit": ("EUR", "none"),
        "tables.rates.columns.rate.unit": ("none", "EUR"),
        "weight": ("none", "price"),
    }


def test_of_a_file_only_what_breaks_the_contract_is_told(
    world: "World", builders: Builders, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, file = world / "contract.yaml", world / "data/orders.csv"
    assert compared(contract, file, capsys) == {}
    frame = builders["orders"]()
    frame.loc[3, "shop"], frame.loc[5, "price"], frame.loc[6, "id"] = None, 2000.0, 1
    world.lay(orders=frame.drop(columns="kept_days").assign(colour="red"))
    assert {place: new for place, (_, new) in compared(contract, file, capsys).items()} == {
        "tables.orders.columns.shop.nullable": "yes",
        "tables.orders.columns.price.range": f"{frame['price'].min()}, 2000.0",
        "tables.orders.columns.kept_days": "none",
        "tables.orders.columns.colour": "text",
    }


def test_a_file_is_compared_under_the_names_of_the_contract(
    world: "World", builders: Builders, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = builders["orders"]()
    at = pd.to_datetime(frame["at"])
    parts = {"Day": at.dt.strftime("%d/%m/%Y"), "Time": at.dt.strftime("%H:%M")}
    file = world / "data/orders.csv"
    world.edit(
        "contract.yaml",
        ("files: orders.csv", "files: orders.csv\n    delimiter: ;"),
        (
            "at: {type: timestamp}\n      id",
            "at: {type: timestamp, from: [Day, Time], format: '%d/%m/%Y %H:%M'}\n      id",
        ),
        ("shop: {type: text", "shop: {type: text, from: 'Shop (GT)'"),
    )
    renamed = frame.drop(columns="at").assign(**parts).rename(columns={"shop": "Shop (GT)", "price": "PRICE"})
    renamed.to_csv(file, index=False, na_rep="NA", sep=";")
    assert compared(world / "contract.yaml", file, capsys) == {}
    check(file, "orders", world / "contract.yaml", world / "data", "", 0.01)


def test_two_batches_are_compared(world: "World", builders: Builders, capsys: pytest.CaptureFixture[str]) -> None:
    frame = builders["orders"]()
    old, new = world / "old.csv", world / "new.csv"
    frame.to_csv(old, index=False)
    frame.assign(shop=frame["shop"].replace("south", "west")).to_csv(new, index=False)
    assert compared(old, new, capsys, "orders") == {
        "tables.orders.columns.shop.values": ("north, south", "north, west")
    }
    assert "secret-" not in str(compared(old, new, capsys))


def test_modules_are_programs(world: "World") -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tidegate.commands.draft.inference", f"--paths={world / 'nothing.csv'}", "--form=yaml"],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        f"error: {world / 'nothing.csv'}: expected a file, found nothing; check the path\n",
    )


def test_a_column_without_a_value_goes_no_further(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "orders.csv").write_text("id,note\n1,\n2,\n")
    infer(str(tmp_path / "orders.csv"), "yaml")
    line = "      note: {type: text, role: private, nullable: true}  # check this: no value in any row\n"
    assert line in capsys.readouterr().out
