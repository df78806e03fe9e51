"""Reads raw files with every value as text, so that values that cannot be cast are kept."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from tidegate.contract.contract import literals, quoted
from tidegate.tables.engine import columns_of

# By default DuckDB treats rows that begin with # as comments, and skips leading rows that do not fit.
DIALECT = "header = true, delim = ',', quote = '\"', escape = '\"', comment = '', skip = 0"


def texts(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], missing: tuple[str, ...], more: str = ""
) -> str:
    """A query over files of one kind, CSV or Parquet, plain or compressed; `more` are further reader options."""
    files = literals([str(path.resolve()) for path in paths])
    if paths[0].suffix != ".parquet":
        read = f"{files}, {DIALECT}, all_varchar = true, nullstr = {literals(missing)}, union_by_name = true{more}"
        return f"SELECT * FROM read_csv({read})"
    source = f"read_parquet({files}, union_by_name = true{more})"
    values = ", ".join(f"{quoted(name)}::VARCHAR AS {quoted(name)}" for name in columns_of(connection, source))
    return f"SELECT {values} FROM {source}"
