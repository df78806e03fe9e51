"""Adds new rows to the files of a table, and removes the rows that they replace."""

from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from tidegate.components.collect.new_rows import FILE, compare, plain, same_key
from tidegate.contract.contract import Table, literal, quoted
from tidegate.documents.formats import replacing
from tidegate.tables.engine import cast
from tidegate.tables.raw import texts

ROW = quoted("#row")
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}


class Merged(NamedTuple):
    """The number of new rows, the number of rows that they replace, and their first and last time."""

    rows: int
    replaced: int
    first: str
    last: str

    def summary(self) -> str:
        """The changes in words."""
        replaced = f", {self.replaced:,} of them replace earlier rows" * bool(self.replaced)
        return f"{self.rows:,} new rows{replaced}" + f", {self.first} to {self.last}" * bool(self.first)


def merge(
    connection: duckdb.DuckDBPyConnection, table: Table, data: Path, came: str, order: str, cut: str
) -> Merged | None:
    """Add the new rows of the query `came` to the files below `data` (see `compare`); None if there are none.

    The result is deterministic: the same rows give the same bytes.
    """
    compare(connection, table, sorted(data.glob(table.files)), came, order, cut)
    rows, replaced = (_value(connection, f"SELECT count(*) FROM {name}") for name in ("fresh", "outdated"))
    if not rows:
        return None
    first, last = _span(connection, table)
    target = data.resolve() / table.files.replace("*", f"{first}-{last}")
    touched = connection.execute(f"SELECT DISTINCT {FILE} FROM outdated").fetchall()
    for path in sorted({target, *(Path(name) for (name,) in touched)}):
        _rewrite(connection, table, path, path == target)
    return Merged(rows, replaced, first, last)


def _span(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[str, str]:
    """The first and the last time of the new rows, formatted for a file name."""
    if not table.time:
        return "", ""
    time = cast(quoted(table.time), "timestamp")
    edges = (f"coalesce(strftime({edge}({time}), '%Y%m%dT%H%M%S'), 'unknown')" for edge in ("min", "max"))
    first, last = connection.execute(f"SELECT {', '.join(edges)} FROM fresh").fetchall()[0]
    return first, last


def _rewrite(connection: duckdb.DuckDBPyConnection, table: Table, path: Path, target: bool) -> None:
    """Rewrite a file: the rows that stay, in their order; then, in the target, the new rows. Remove an empty file."""
    parts = [_unchanged_rows(connection, table, path)] * path.exists()
    if target:
        parts.append(f"SELECT {_typed(connection, table)}, NULL::BIGINT AS {ROW} FROM fresh")
    rows = " UNION ALL BY NAME ".join(parts)
    if not _value(connection, f"SELECT count(*) FROM ({rows})"):
        path.unlink()
        return
    names = dict.fromkeys([*([table.time] if table.time else []), *table.key, *table.columns])
    order = ", ".join(cast(quoted(name), table.columns[name].type) + f", {quoted(name)}::VARCHAR" for name in names)
    query = f"SELECT * EXCLUDE ({ROW}) FROM ({rows}) ORDER BY {ROW} NULLS LAST, {order}"
    with replacing(path) as temporary:
        connection.execute(f"COPY ({query}) TO {literal(str(temporary))} ({_format(table)})")


def _unchanged_rows(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> str:
    """The query of the unchanged rows of a file, with their row numbers."""
    parquet = f"SELECT * FROM read_parquet({literal(str(path))})"
    source = parquet if path.suffix == ".parquet" else texts(connection, [path], table.missing)
    numbered = f"SELECT *, row_number() OVER () AS {ROW} FROM ({source})"
    if not table.key:
        return numbered
    keys = ", ".join(f"{plain(name, table)} AS {quoted(name)}" for name in table.key)
    gone = f"SELECT {ROW} FROM (SELECT {ROW}, {keys} FROM ({numbered})) AS had SEMI JOIN changed ON "
    return f"SELECT * FROM ({numbered}) WHERE {ROW} NOT IN ({gone}{same_key(table, 'had', 'changed')})"


def _typed(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    """The values of the new rows: in Parquet cast to their types, unless a value of the column cannot be cast."""
    casts = {name: cast(quoted(name), column.type) for name, column in table.columns.items()}
    if not table.files.endswith(".parquet"):
        return ", ".join(map(quoted, casts))
    wrong = ", ".join(f"count_if({quoted(name)} IS NOT NULL AND ({value}) IS NULL)" for name, value in casts.items())
    counts = connection.execute(f"SELECT {wrong} FROM fresh").fetchall()[0]
    pairs = zip(casts.items(), counts, strict=True)
    return ", ".join(quoted(name) if count else f"{value} AS {quoted(name)}" for (name, value), count in pairs)


def _format(table: Table) -> str:
    if table.files.endswith(".parquet"):
        return "FORMAT parquet, COMPRESSION zstd"
    compression = COMPRESSIONS.get(Path(table.files).suffix, "none")
    null = f"NULLSTR {literal(table.missing[0])}"
    return f"FORMAT csv, HEADER, DELIMITER ',', QUOTE '\"', ESCAPE '\"', {null}, COMPRESSION {compression}"


def _value(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    return connection.execute(query).fetchall()[0][0]
