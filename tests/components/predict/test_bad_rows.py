"""Bad rows: the first is named in one line, nothing is written; or they are set aside with their reasons."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tests.components.predict.conftest import Predict, read, write
from tidegate.process.errors import InputError
from tidegate.tracking.champion import Champion

if TYPE_CHECKING:
    from tests.toy import World

EVENT = ["at", "id", "shop", "price"]
Change = Callable[[pd.DataFrame], pd.DataFrame]


def at(row: int, **values: Any) -> Change:
    """Another value in a row."""

    def changed(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.astype(object)
        for name, value in values.items():
            rows.loc[rows.index[row], name] = value
        return rows

    return changed


CASES: dict[str, tuple[Change, str]] = {
    "range": (at(1, price=2000), "row 2: price: expected 0 to 1000, found '2000'"),
    "type": (at(1, price="many"), "row 2: price: expected a number, found 'many'"),
    "infinite": (at(1, price="inf"), "row 2: price: expected a finite number, found 'inf'"),
    "too large": (at(1, price="1e400"), "row 2: price: expected a"),
    "fraction": (at(1, id=1.5), "row 2: id: expected a whole number, found another value"),
    "value": (at(1, shop="west"), "row 2: shop: expected one of north, south, found 'west'"),
    "null": (at(2, shop=None), "row 3: shop: expected a text, found null"),
    "time": (at(0, at="yesterday"), "row 1: at: expected a time such as 2013-03-01T06:00:00, found another value"),
    "twice": (
        at(3, id=1089, at="2024-03-31 16:00:00"),
        "row 4: expected another identity (at, id) than each earlier row",
    ),
    "column": (
        lambda rows: rows.drop(columns="shop"),
        "expected the columns of an event (at, id, shop, price), found no shop",
    ),
    "no row": (lambda rows: rows[:0], "expected at least one row, found none"),
}


@pytest.fixture
def rows(released: "World") -> Any:
    """Four events, the first with the identity (2024-03-31 16:00, 1089)."""
    found = released.table("clean/orders")[EVENT].tail(4)
    assert (str(found["at"].iloc[0]), found["id"].iloc[0]) == ("2024-03-31 16:00:00", 1089)
    return found.assign(at=found["at"].astype(str))


@pytest.mark.parametrize("name", CASES)
def test_the_first_bad_row_is_told_and_nothing_is_written(
    name: str, rows: Any, released: "World", ask: Predict, tmp_path: Path
) -> None:
    change, message = CASES[name]
    (tmp_path / "out").mkdir()
    (tmp_path / "out/answer.csv").write_text("earlier")
    with pytest.raises(InputError) as error:
        ask(write(change(rows), released / "in.csv"), tmp_path / "out/answer.csv")
    assert message in str(error.value) and "\n" not in str(error.value)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["answer.csv"]
    assert (tmp_path / "out/answer.csv").read_text() == "earlier"


def test_typed_files_are_held_against_the_same(rows: Any, released: "World", ask: Predict) -> None:
    typed: Any = rows.assign(at=pd.to_datetime(rows["at"]))
    for changed, message in (
        (typed.assign(price=[1.0, 2.0, 1001.0, 3.0]), "row 3: price: expected 0 to 1000, found '1001.0'"),
        (typed.assign(price=[1.0, float("inf"), 1.0, 3.0]), "row 2: price: expected a finite number, found 'inf'"),
        (typed.assign(price=[True, True, False, True]), "row 1: price: expected a number, found 'true'"),
        (typed.assign(at=typed["at"].where([True, True, False, True])), "row 3: at: expected a time"),
        (typed.assign(shop=[None, "north", "north", "west"]), "row 1: shop: expected a text, found null"),
    ):
        with pytest.raises(InputError) as error:
            ask(changed, released / "out.csv")
        assert message in str(error.value), message


def test_bad_rows_are_set_aside_with_their_reasons(rows: Any, released: "World", ask: Predict) -> None:
    bad = pd.concat([rows.assign(customer="secret-1"), rows[:1].assign(customer="secret-2")])
    bad = at(1, price="many")(bad.reset_index(drop=True))
    answered = ask(write(bad, released / "in.csv"), released / "out.csv", skip_bad=True)
    assert (answered.rows, answered.bad) == (3, 2)
    assert read(released / "out.csv")["id"].tolist() == rows["id"].iloc[[0, 2, 3]].tolist()
    aside = pd.read_csv(released / "out.bad.csv", dtype=str)
    assert [*aside] == ["row", *EVENT, "reason"]
    assert aside["row"].tolist() == ["2", "5"] and aside["price"].iloc[0] == "many"
    assert aside["reason"].tolist() == [
        "price: expected a number",
        "expected another identity (at, id) than each earlier row",
    ]
    ask(write(rows, released / "in.csv"), released / "out.csv", skip_bad=True)
    assert pd.read_csv(released / "out.bad.csv").empty
    with pytest.raises(InputError, match="at least one row that can be predicted"):
        ask(write(rows.assign(price="many"), released / "in.csv"), released / "out.csv", skip_bad=True)


def test_rules_of_the_table(rows: Any, released: "World", champion: Champion, ask: Predict) -> None:
    table = replace(champion.contract.tables["orders"], rules={"cheap": "price < 60", "known": "kept_days < 9"})
    contract = replace(champion.contract, tables={**champion.contract.tables, "orders": table})
    dear = write(rows.assign(price=[1, 2, 70, 80]), released / "in.csv")
    with pytest.raises(InputError, match=r"row 3: expected a row that keeps the rule 'cheap'.*\(2 of 4\)"):
        ask(dear, released / "out.csv", replace(champion, contract=contract))
    assert ask(dear, released / "out.csv", replace(champion, contract=contract), skip_bad=True).bad == 2
    failing = replace(table, rules={"odd": "error(shop)"})
    contract = replace(contract, tables={**contract.tables, "orders": failing})
    with pytest.raises(InputError, match=r"tables\.orders\.rules: expected SQL that runs over every row") as error:
        ask(dear, released / "out.csv", replace(champion, contract=contract))
    assert "north" not in str(error.value)


def test_references_of_the_table(rows: Any, released: "World", champion: Champion, ask: Predict) -> None:
    table = replace(champion.contract.tables["orders"], references={"at": "rates.at"})
    by = replace(champion, contract=replace(champion.contract, tables={**champion.contract.tables, "orders": table}))
    asked = write(rows, released / "in.csv")
    assert ask(asked, released / "out.csv", by).bad == 0
    rates = released.table("clean/rates")
    rates[rates["at"] != pd.Timestamp(rows["at"].iloc[2])].to_parquet(released / "clean/rates.parquet")
    expected = r"row 3: expected a row whose at is in rates\.at, found one that is not there; .*\(1 of 4\)"
    with pytest.raises(InputError, match=expected):
        ask(asked, released / "out.csv", by)
    assert ask(asked, released / "out.csv", by, skip_bad=True).bad == 1
    assert "rates.at" in (released / "out.bad.csv").read_text()


def test_a_reference_to_the_event_table_itself(rows: Any, released: "World", champion: Champion, ask: Predict) -> None:
    table = replace(champion.contract.tables["orders"], references={"id": "orders.id"})
    by = replace(champion, contract=replace(champion.contract, tables={**champion.contract.tables, "orders": table}))
    new = write(rows.assign(id=[10_001, 10_002, 10_003, 10_004]), released / "in.csv")
    assert ask(new, released / "out.csv", by).bad == 0, "what is asked stands in the table, as in the server"


def test_integers_in_files_are_exact_as_in_the_data(rows: Any, released: "World", ask: Predict) -> None:
    large = 2**53 + 1  # which the server refuses: JSON's usual readers would round it
    for name in ("in.csv", "in.parquet"):
        asked = write(rows.assign(id=[large, large + 1, large + 2, 2**63 - 1]), released / name)
        assert ask(asked, released / "out.parquet").bad == 0
        assert read(released / "out.parquet")["id"].tolist() == [large, large + 1, large + 2, 2**63 - 1]


def test_files_that_are_damaged(rows: Any, released: "World", ask: Predict) -> None:
    for name in ("in.parquet", "in.csv.gz"):
        whole = write(pd.concat([rows] * 500), released / name).read_bytes()
        (released / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match=r"expected a complete .* file, found a truncated or damaged one"):
            ask(released / name, released / "out.csv")
    text = write(rows, released / "in.csv").read_text()
    for broken, message in (
        (text.replace("north", '"north', 1), "a closing quote"),
        (text + "1,2\n", "expected 4 cells as in the first line, found 2"),
        ("", "expected column names, then rows, found an empty file"),
    ):
        (released / "in.csv").write_text(broken)
        with pytest.raises(InputError, match=message):
            ask(released / "in.csv", released / "out.csv")
    whole = write(pd.concat([rows] * 5000), released / "in.parquet").read_bytes()
    (released / "in.parquet").write_bytes(whole[:50] + b"\xff" * 300 + whole[350:])
    with pytest.raises(InputError, match="expected a complete Parquet file"):
        ask(released / "in.parquet", released / "out.csv")


def test_sql_that_gives_no_row_or_several(rows: Any, released: "World", champion: Champion, ask: Predict) -> None:
    asked = write(rows.assign(price=[1, 2, 70, 80]), released / "in.csv")
    fewer = replace(champion, sql=f"{champion.sql} WHERE price < 60")
    with pytest.raises(InputError, match=r"row 3: expected a row of features\.sql"):
        ask(asked, released / "out.csv", fewer)
    assert ask(asked, released / "out.csv", fewer, skip_bad=True).rows == 2
    twice = replace(champion, sql=f"{champion.sql} CROSS JOIN range(2)")
    with pytest.raises(
        InputError, match=r"features\.sql: expected one row for each of the 4 events, found 4 rows more"
    ):
        ask(asked, released / "out.csv", twice)
    failing = replace(champion, sql=champion.sql.replace("orders.price,", "error('secret')::DOUBLE AS price,"))
    with pytest.raises(InputError, match=r"features\.sql: expected SQL that runs over every row") as error:
        ask(asked, released / "out.csv", failing)
    assert "secret" not in str(error.value)
