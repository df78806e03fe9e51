"""The contract: what the data promises, read from contract.yaml and checked when it is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.errors import ContractError
from components.formats import parse_yaml, read_text

types = {"integer": "BIGINT", "number": "DOUBLE", "text": "VARCHAR", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP"}
roles = ("feature", "outcome", "private")
tasks = ("binary",)


@dataclass(frozen=True)
class Column:
    """One promised column; `outcome` columns are known only after the event, `private` ones never leave ingest."""

    type: str
    role: str = "feature"
    nullable: bool = False
    unit: str = ""
    range: tuple[float, float] | None = None
    values: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Table:
    """One table: its files below the data folder, how they spell a missing value, its time column (UTC) and its unique key."""

    files: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    time: str | None = None
    missing: str = ""

    def visible(self) -> dict[str, Column]:
        """The columns that may get past ingest."""
        return {name: column for name, column in self.columns.items() if column.role != "private"}

    def outcomes(self) -> list[str]:
        """The columns that are known only after the event."""
        return [name for name, column in self.columns.items() if column.role == "outcome"]

    def order(self) -> str:
        """SQL of a total order: time, then key."""
        return ", ".join(quoted(name) for name in dict.fromkeys([*([self.time] if self.time else []), *self.key]))


@dataclass(frozen=True)
class Contract:
    """The problem and its tables; durations are texts such as `6h` or `1d`."""

    name: str
    purpose: str
    task: str
    event: str
    label: str
    label_delay: str
    horizon: str
    block: str
    slices: tuple[str, ...]
    tables: Mapping[str, Table]

    @property
    def time(self) -> str:
        """The event table's time column, by which batches are cut."""
        time = self.tables[self.event].time
        assert time is not None
        return time

    @property
    def identity(self) -> list[str]:
        """The columns that identify an event and are no features: time and key of the event table."""
        return list(dict.fromkeys([self.time, *self.tables[self.event].key]))


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def interval(duration: str) -> str:
    """A duration such as `90m`, `6h`, `1d` or `2w` as an SQL interval; ContractError when it is none."""
    match = re.fullmatch(r"(\d+)([mhdw])", duration)
    if not match:
        raise ContractError("duration", "a number and m, h, d or w, such as 6h", repr(duration), "mend contract.yaml")
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    return f"INTERVAL '{match[1]} {units[match[2]]}'"


def read_contract(path: Path) -> Contract:
    """Read and check a contract; ContractError names the place and what is allowed there."""
    return parse_contract(read_text(path), str(path))


def parse_contract(text: str, name: str = "contract.yaml") -> Contract:
    """Parse and check the text of a contract."""
    document = _mapping(parse_yaml(text, name), name)
    tables = {
        table: _table(_mapping(value, f"{name}: tables.{table}"), f"{name}: tables.{table}")
        for table, value in _mapping(document.get("tables"), f"{name}: tables").items()
    }
    contract = _build(Contract, {**document, "tables": tables, "slices": tuple(document.get("slices", ()))}, name)
    _check(contract, name)
    return contract


def _table(document: Mapping[str, Any], place: str) -> Table:
    columns = {
        column: _column(_mapping(value, f"{place}.columns.{column}"), f"{place}.columns.{column}")
        for column, value in _mapping(document.get("columns"), f"{place}.columns").items()
    }
    table: Table = _build(Table, {**document, "columns": columns, "key": tuple(document.get("key", ()))}, place)
    for name in [*table.key, *([table.time] if table.time else [])]:
        if name not in columns:
            raise ContractError(place, f"its time and key among its columns ({', '.join(columns)})", name, "mend it")
    return table


def _column(document: Mapping[str, Any], place: str) -> Column:
    extra = {name: tuple(document[name]) for name in ("range", "values") if document.get(name) is not None}
    column: Column = _build(Column, {**document, **extra}, place)
    _one_of(column.type, types, f"{place}.type")
    _one_of(column.role, roles, f"{place}.role")
    return column


def _check(contract: Contract, name: str) -> None:
    _one_of(contract.task, tasks, f"{name}: task")
    _one_of(contract.event, contract.tables, f"{name}: event")
    if not contract.tables[contract.event].time:
        raise ContractError(f"{name}: tables.{contract.event}", "a time column", "none", "name it under `time:`")
    for duration in (contract.label_delay, contract.horizon, contract.block):
        interval(duration)


def _build(kind: Any, document: Mapping[str, Any], place: str) -> Any:
    fields = kind.__dataclass_fields__
    for key in document:
        _one_of(key, fields, place)
    try:
        return kind(**document)
    except TypeError as error:
        missing = re.findall(r"'(\w+)'", str(error))
        raise ContractError(place, f"all of {', '.join(fields)}", f"no {', '.join(missing)}", "add it") from None


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ContractError(place, "names with values", type(value).__name__, "mend it")
    return value


def _one_of(value: Any, allowed: Any, place: str) -> None:
    if value not in allowed:
        raise ContractError(place, f"one of {', '.join(allowed)}", repr(value), "mend it")
