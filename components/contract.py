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
tasks = ("binary", "multiclass", "regression")
lists = ("key", "slices", "range", "values")
nested = ("tables", "columns")


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
    """One table: its files below the data folder, how they spell a missing value, its time column (UTC), its key."""

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
    weight: str | None = None

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


def interval(duration: str, place: str = "duration") -> str:
    """A duration such as `90m`, `6h`, `1d` or `2w` as an SQL interval; ContractError when it is none."""
    match = re.fullmatch(r"(\d+)([mhdw])", duration, re.ASCII)
    if not match:
        raise ContractError(place, "a number and m, h, d or w, such as 6h", repr(duration), "mend it")
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
    contract: Contract = _build(Contract, {"slices": [], **document, "tables": tables}, name)
    _check(contract, name)
    return contract


def _table(document: Mapping[str, Any], place: str) -> Table:
    columns = {
        column: _column(_mapping(value, f"{place}.columns.{column}"), f"{place}.columns.{column}")
        for column, value in _mapping(document.get("columns"), f"{place}.columns").items()
    }
    table: Table = _build(Table, {"key": [], **document, "columns": columns}, place)
    for name in [*table.key, *([table.time] if table.time else [])]:
        if name not in columns:
            raise ContractError(place, f"its time and key among its columns ({', '.join(columns)})", name, "mend it")
        if columns[name].role == "private":
            raise ContractError(f"{place}.columns.{name}", "a time or key that may be seen", "private", "take another")
    if table.time and columns[table.time].type != "timestamp":
        raise ContractError(f"{place}.time", "a timestamp", f"{columns[table.time].type} {table.time}", "mend it")
    return table


def _column(document: Mapping[str, Any], place: str) -> Column:
    column: Column = _build(Column, document, place)
    _one_of(column.type, types, f"{place}.type")
    _one_of(column.role, roles, f"{place}.role")
    if column.range is not None and not _is_range(column.range):
        raise ContractError(f"{place}.range", "two numbers, the lower first", str(list(column.range)), "mend it")
    return column


def _is_range(found: tuple[Any, ...]) -> bool:
    return len(found) == 2 and all(type(edge) in (int, float) for edge in found) and found[0] <= found[1]


def _check(contract: Contract, name: str) -> None:
    _one_of(contract.task, tasks, f"{name}: task")
    _one_of(contract.event, contract.tables, f"{name}: event")
    if not contract.tables[contract.event].time:
        raise ContractError(f"{name}: tables.{contract.event}", "a time column", "none", "name it under `time:`")
    for field in ("label_delay", "horizon", "block"):
        interval(getattr(contract, field), f"{name}: {field}")
    if int(contract.block[:-1]) == 0:
        raise ContractError(f"{name}: block", "a duration above 0", contract.block, "mend it")


def _build(kind: Any, document: Mapping[str, Any], place: str) -> Any:
    fields = kind.__dataclass_fields__
    for key in document:
        _one_of(key, fields, place)
    found = {key: _shaped(key, value, fields[key].default, place) for key, value in document.items()}
    try:
        return kind(**found)
    except TypeError as error:
        missing = re.findall(r"'(\w+)'", str(error))
        raise ContractError(place, f"all of {', '.join(fields)}", f"no {', '.join(missing)}", "add it") from None


def _shaped(key: str, value: Any, default: Any, place: str) -> Any:
    """The value of a key as its field holds it; ContractError when YAML read something of another kind."""
    if key in nested or (value is None and default is None):
        return value
    flags: dict[str, tuple[type, str]] = {
        "nullable": (bool, "true or false"),
        **dict.fromkeys(lists, (list, "a list")),
    }
    kind, words = flags.get(key, (str, "a text"))
    if not isinstance(value, kind):
        where = f"{place}.{key}" if ": " in place else f"{place}: {key}"
        raise ContractError(where, words, repr(value), "mend it")
    return tuple(value) if isinstance(value, list) else value


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ContractError(place, "names with values", type(value).__name__, "mend it")
    return value


def _one_of(value: Any, allowed: Any, place: str) -> None:
    if value not in allowed:
        raise ContractError(place, f"one of {', '.join(allowed)}", repr(value), "mend it")
