"""A table as ingest left it: its rows as SQL, in the types that the contract promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

from tidegate.contract.contract import SQL_TYPE, Contract, Table, quoted
from tidegate.tables.engine import cast, columns_of, parquet

NO_NUMBER = "NULL::BIGINT"


@dataclass(frozen=True)
class Source:
    """A table's promises, the columns and SQL types of its file, and that file as an SQL relation."""

    table: Table
    present: Mapping[str, str]
    file: str

    @cached_property
    def promised(self) -> list[str]:
        """The promised columns that are there."""
        return [name for name in self.table.visible() if name in self.present]

    @cached_property
    def texts(self) -> list[str]:
        """The columns that ingest kept as text because not all of their values could be cast."""
        columns = self.table.columns
        return [name for name in self.promised if self.present[name] == "VARCHAR" and columns[name].type != "text"]

    @cached_property
    def row(self) -> str:
        """SQL of a row's position in the file, from 0; DuckDB has none where a column has that name."""
        return NO_NUMBER if "file_row_number" in map(str.lower, self.present) else "file_row_number"

    @cached_property
    def sql(self) -> str:
        """The rows in the promised types, null where that cannot be; what was text stays beside them."""
        if not self.texts:
            return self.file
        columns = {name: self.table.columns[name] for name in self.texts}
        casts = {name: cast(quoted(name), column.type, column.format) for name, column in columns.items()}
        values = ", ".join(f"{value} AS {quoted(name)}" for name, value in casts.items())
        raw = ", ".join(f"{quoted(name)} AS {raw_name(name)}" for name in self.texts)
        number = f"{self.row}, " if self.row != NO_NUMBER else ""
        return f"(SELECT * REPLACE ({values}), {number}{raw} FROM {self.file})"

    def required(self, name: str) -> bool:
        """Whether a column places a row, which it does not without a value."""
        return name in self.table.key or name == self.table.time

    def raw_value(self, name: str) -> str:
        """SQL of a column's values as they came."""
        return raw_name(name) if name in self.texts else quoted(name)

    def as_promised(self) -> bool:
        """Whether the columns are those of the contract, in its order and its types."""
        promised = [(name, SQL_TYPE[column.type]) for name, column in self.table.visible().items()]
        return list(self.present.items()) == promised


def sources(connection: duckdb.DuckDBPyConnection, contract: Contract, paths: Mapping[str, Path]) -> dict[str, Source]:
    """The tables of the contract that are there."""
    files = {name: parquet(path) for name, path in paths.items() if name in contract.tables}
    return {name: Source(contract.tables[name], columns_of(connection, file), file) for name, file in files.items()}


def raw_name(name: str) -> str:
    """The column that holds the text of a column that was kept as text; no file has a column of such a name."""
    return quoted(f"{name}\x1fas text")
