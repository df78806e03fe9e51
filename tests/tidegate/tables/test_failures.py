"""What failed in DuckDB is told with table, column, row and type, and without a value that identifies a row."""

from pathlib import Path

import duckdb
import pytest

from tidegate.contract.contract import Column, Table
from tidegate.tables.engine import engine
from tidegate.tables.failures import failure

TABLES = {
    "t": Table(
        files="t.csv",
        key=("k",),
        columns={"k": Column("text"), "v": Column("text"), "n": Column("integer"), "odd name": Column("text")},
    )
}
SQL = {
    "cast(k AS INTEGER)": "t.k in row 2 that is no INTEGER",
    "k::DATE": "t.k in row 1 that is no DATE",
    "K::TIMESTAMP": "t.k in row 1 that is no TIMESTAMP",
    "k::DECIMAL(4, 2)": "t.k in row 2 that is no DECIMAL(4,2)",
    "k::BOOLEAN": "t.k in row 2 that is no BOOLEAN",
    "k::UUID": "t.k in row 1 that is no UUID",
    "v::DOUBLE": "t.v in row 1 that is no DOUBLE: 'v0'",
    '"odd name"::DOUBLE': "t.odd name in row 1 that is no DOUBLE: 'x'",
    "n::INTEGER": "t.n in row 2 that is no INTEGER: '3000000000'",
    "n::UTINYINT": "t.n in row 2 that is no UTINYINT: '3000000000'",
    "(v || k)::INTEGER": "a value that is no INTEGER",
    "[k]::INTEGER[]": "a value that is no INTEGER",
    "('a to INT32\n\nLINE 1' || k)::DOUBLE": "a value that is no DOUBLE",
    "(k || ' to SECRET when casting from source column SECRET')::FLOAT": "a value that is no FLOAT",
    "n * 9000000000000": "an overflow in multiplication of INT64",
    "k::ENUM('a', 'b')": "ConversionException in a row",
    "date_trunc(k, now())": "ConversionException in a row",
    "error(k)": "InvalidInputException in a row",
    "strptime(k, '%Y')": "Could not parse string",
    "json_extract(k, '$.a')": "Malformed JSON",
    "regexp_matches('a', k || '(')": "InvalidInputException in a row",
    "nope": 'Binder Error: Referenced column "nope" not found in FROM clause! Candidate bindings: "n"',
    "1 +": 'Parser Error: syntax error at or near "FROM"',
}


@pytest.fixture
def connection(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    keys = "CASE WHEN i = 0 THEN '1' ELSE 'SECRET' || i END AS k, 'v' || i AS v"
    made.execute(f"CREATE TABLE t AS SELECT {keys}, i * 3000000000 AS n, 'x' AS \"odd name\" FROM range(5) r(i)")
    return made


@pytest.mark.parametrize("value", SQL)
def test_what_failed(connection: duckdb.DuckDBPyConnection, value: str) -> None:
    with pytest.raises(duckdb.Error) as error:
        connection.execute(f"SELECT {value} FROM t").fetchall()
    found = failure(error.value, connection, TABLES)
    assert found == SQL[value]


def test_a_line_of_a_file_is_not_quoted(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b\n1,2\n"SECRET\nExpected SECRET",2,3\n')
    with pytest.raises(duckdb.Error) as error:
        columns = "columns = {'a': 'VARCHAR', 'b': 'VARCHAR'}, auto_detect = false, header = true"
        connection.execute(f"SELECT * FROM read_csv('{tmp_path / 't.csv'}', {columns})").fetchall()
    assert "SECRET" in str(error.value)
    found = failure(error.value)
    assert "SECRET" not in found and found.startswith("Invalid Input Error: CSV Error on Line: ")


def test_what_leaves_the_engine_unseen_quotes_no_value(tmp_path: Path) -> None:
    with pytest.raises(duckdb.ConversionException, match=r"^a value that is no INTEGER$"), engine(tmp_path) as made:
        made.execute("SELECT ('SECRET' || i)::INTEGER FROM range(3) r(i)").fetchall()
