"""New rows, late rows, changed rows and rows that were there already: what the files of a table become."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tiers import large
from tidegate.components.collect.merge import Merged, merge
from tidegate.contract.contract import Column, Table
from tidegate.tables.engine import engine
from tidegate.tables.raw import texts

columns = {
    "at": Column("timestamp", nullable=True),
    "id": Column("integer"),
    "price": Column("number", nullable=True),
    "sold": Column("boolean", nullable=True),
    "note": Column("text", nullable=True),
}
header = ",".join(columns)


def table(files: str = "orders/*.csv", key: tuple[str, ...] = ("id",), missing: str = "NA") -> Table:
    return Table(files=files, columns=columns, key=key, time="at", missing=(missing,))


def lay(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def add(of: Table, data: Path, came: Path, *rows: str, order: str = "''", cut: str = "true") -> Merged | None:
    """Merge rows of CSV into the files below `data`."""
    data.mkdir(exist_ok=True)
    with engine(data, came) as connection:
        return merge(connection, of, data, texts(connection, [lay(came, "came.csv", *rows)], ("NA",)), order, cut)


def stands(of: Table, data: Path) -> list[tuple[Any, ...]]:
    """All rows of the table as ingest reads them, in their order."""
    with duckdb.connect() as connection:
        return connection.execute(texts(connection, sorted(data.glob(of.files)), of.missing)).fetchall()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def came(tmp_path: Path) -> Path:
    return tmp_path / "came"


first = ("2024-01-02 00:00:00,2,1.5,true,b", "2024-01-01 00:00:00,1,NA,false,NA")


def test_new_rows_are_a_new_file_named_by_their_times(data: Path, came: Path) -> None:
    assert add(table(), data, came, *first) == Merged(2, 0, "20240101T000000", "20240102T000000")
    assert [path.name for path in (data / "orders").iterdir()] == ["20240101T000000-20240102T000000.csv"]
    text = next((data / "orders").iterdir()).read_text()
    assert text == f"{header}\n2024-01-01 00:00:00,1,NA,false,NA\n2024-01-02 00:00:00,2,1.5,true,b\n"


SAME = {
    "as they are": first,
    "in another order": first[::-1],
    "twice": first * 2,
    "spelled otherwise": ("2024-01-02T01:00:00+01:00,2.0,1.50,1,b", "2024-01-01,1,NA,FALSE,NA"),
    "one of them": first[:1],
    "none": (),
}


@pytest.mark.parametrize("rows", SAME.values(), ids=SAME)
def test_rows_that_are_there_change_nothing(rows: Sequence[str], data: Path, came: Path) -> None:
    add(table(), data, came, *first)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in data.rglob("*.csv")}
    assert add(table(), data, came, *rows) is None
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in data.rglob("*.csv")} == before


def test_a_late_row_is_new(data: Path, came: Path) -> None:
    add(table(), data, came, *first)
    assert add(table(), data, came, *first, "2023-06-01,3,1,true,late") == Merged(
        1, 0, "20230601T000000", "20230601T000000"
    )
    assert [row[1] for row in stands(table(), data)] == ["3", "1", "2"]


def test_a_changed_row_takes_the_place_of_the_earlier_one(data: Path, came: Path) -> None:
    add(table(), data, came, *first)
    assert add(table(), data, came, "2024-01-01,1,7,true,c") == Merged(1, 1, "20240101T000000", "20240101T000000")
    files = {path.name: path.read_text().splitlines()[1:] for path in (data / "orders").iterdir()}
    assert files == {
        "20240101T000000-20240102T000000.csv": ["2024-01-02 00:00:00,2,1.5,true,b"],
        "20240101T000000-20240101T000000.csv": ["2024-01-01 00:00:00,1,7.0,true,c"],
    }


def test_a_file_of_which_nothing_is_left_goes_and_one_of_the_same_times_takes_the_rows_in(
    data: Path, came: Path
) -> None:
    add(table(), data, came, *first)
    add(table(), data, came, "2024-01-02,1,7,true,c", "2024-01-03,2,8,true,d")
    assert [path.name for path in (data / "orders").iterdir()] == ["20240102T000000-20240103T000000.csv"]
    add(table(), data, came, "2024-01-02,4,1,true,e", "2024-01-03,5,1,true,f")
    assert [path.name for path in (data / "orders").iterdir()] == ["20240102T000000-20240103T000000.csv"]
    assert [row[1] for row in stands(table(), data)] == ["1", "2", "4", "5"]


def test_of_two_rows_with_one_key_the_last_counts_and_equals_stay(data: Path, came: Path) -> None:
    both = ("2024-01-01,1,1,true,a", "2024-01-02,1,2,true,b")
    add(table(), data, came, *both, order='"at"')
    assert [row[2] for row in stands(table(), data)] == ["2.0"]
    # Which of two counts is not for us to choose: validate stops at keys that are shared.
    add(table(), data, came, "2024-01-05,9,1,true,a", "2024-01-05,9,2,true,b")
    assert len(stands(table(), data)) == 3
    assert add(table(), data, came, "2024-01-05,9,1,true,a", "2024-01-05,9,2,true,b") is None


def test_without_a_key_each_row_counts_as_often_as_it_came(data: Path, came: Path) -> None:
    keyless = table(key=())
    add(keyless, data, came, *first, first[0])
    assert len(stands(keyless, data)) == 3
    assert add(keyless, data, came, *first) is None
    assert add(keyless, data, came, first[0], first[0], first[0]) == Merged(1, 0, "20240102T000000", "20240102T000000")


def test_a_single_file_takes_the_rows_in_behind_its_own(data: Path, came: Path) -> None:
    single = table("orders.csv")
    lay(data, "orders.csv", "2024-01-02 00:00:00, 2 ,1.50,yes,#b", "2024-01-09,1,NA,false,NA")
    assert add(single, data, came, "2024-01-01,3,1,true,c", "2024-01-09,1,2,false,NA") is not None
    assert (data / "orders.csv").read_text().splitlines()[1:] == [
        '2024-01-02 00:00:00, 2 ,1.50,yes,"#b"',  # its own rows keep their spelling
        "2024-01-01 00:00:00,3,1.0,true,c",
        "2024-01-09 00:00:00,1,2.0,false,NA",
    ]


def test_what_cannot_be_cast_is_kept_for_validate_to_see(data: Path, came: Path) -> None:
    for files in ("orders/*.csv", "parquet/*.parquet"):
        add(table(files), data, came, "soon,1,cheap,maybe,x", "2024-01-01,2,1,true,y")
        assert set(stands(table(files), data)) == {
            ("soon", "1", "cheap", "maybe", "x"),
            ("2024-01-01 00:00:00", "2", "1.0", "true", "y"),
        }
        assert add(table(files), data, came, "soon,1,cheap,maybe,x") is None
    add(table("none/*.csv"), data, came, "soon,1,1,true,x")
    assert [path.name for path in (data / "none").iterdir()] == ["unknown-unknown.csv"]


def test_parquet_has_the_types_of_the_contract(data: Path, came: Path) -> None:
    add(table("o/*.parquet"), data, came, *first)
    frame = pd.read_parquet(data / "o")
    kinds = {"at": "datetime64[us]", "id": "int64", "price": "float64", "sold": "bool", "note": "object"}
    assert frame.dtypes.astype(str).to_dict() == kinds
    add(table("o/*.parquet"), data, came, "2024-01-01,1,7,true,c")
    assert pd.read_parquet(data / "o").sort_values("id")["price"].tolist() == [7.0, 1.5]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".csv.zst", ".parquet"])
def test_the_same_rows_give_the_same_bytes(ending: str, came: Path, tmp_path: Path) -> None:
    rows = [f"2024-01-{1 + n % 28:02d} 0{n % 10}:00:00,{n},{n / 7},{n % 2 == 0},n{n % 5}" for n in range(5000)]
    for name, some in (("a", rows), ("b", rows[::-1])):
        add(table(f"*{ending}"), tmp_path / name, came, *some)
        add(table(f"*{ending}"), tmp_path / name, came, *(row.replace("n1", "m1") for row in some))
    found = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b")]
    assert found[0] == found[1] and len(found[0]) == 2
    if ending == ".csv.gz":
        assert all(gzip.decompress(content).startswith(header.encode()) for content in found[0].values())


def test_a_column_that_earlier_files_lack_is_null_in_them(data: Path, came: Path) -> None:
    (data / "orders").mkdir(parents=True)
    (data / "orders/old.csv").write_text("at,id,extra\n2024-01-01,1,z\n")
    assert add(table(), data, came, "2024-01-01,1,NA,NA,NA") is None
    add(table(), data, came, "2024-01-02,1,NA,NA,new")
    assert not (data / "orders/old.csv").exists()


texts_of_people = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=6)
a_row = st.tuples(
    st.sampled_from(["2024-01-01 00:00:00", "2024-01-02 03:04:05.678", "2024-03-01 00:00:00"]),
    st.integers(0, 4).map(str),
    st.sampled_from(["0.1", "1e-07", "-3.0", "nan", None]),
    st.sampled_from(["true", "false", None]),
    st.one_of(st.none(), st.sampled_from(["NA", "", " ", '"', "#", "a,b", "x\ny", "'"]), texts_of_people),
)


@settings(max_examples=large(100, 12), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.dictionaries(st.integers(0, 4), a_row, max_size=5), min_size=1, max_size=4),
    st.sampled_from(["", "NA"]),
)
@pytest.mark.parametrize("files", ["o/*.csv", "o/*.parquet", "o.csv", "o.csv.gz"])
def test_whatever_comes_each_key_has_its_last_row_and_again_there_is_nothing_new(
    files: str, tmp_path_factory: pytest.TempPathFactory, batches: list[dict[int, tuple[Any, ...]]], missing: str
) -> None:
    of, data = table(files, missing=missing), tmp_path_factory.mktemp("data")
    wanted: dict[str, tuple[Any, ...]] = {}
    for batch in batches:
        rows = {row[1]: row for row in batch.values()}
        relation = " UNION ALL ".join(
            f"SELECT {', '.join(_literal(value) + f' AS {name}' for name, value in zip(columns, row, strict=True))}"
            for row in rows.values()
        )
        for again in (False, True) if rows else ():
            with engine(data) as connection:
                found = merge(connection, of, data, relation, "''", "true")
            assert not (again and found)
        null = {missing} if files != "o/*.parquet" else set()
        wanted |= {key: tuple(None if value in null else value for value in row) for key, row in rows.items()}
    assert {row[1]: row for row in (stands(of, data) if wanted else [])} == wanted


def _literal(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None else "'" + value.replace("'", "''") + "'"
