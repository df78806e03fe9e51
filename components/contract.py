"""The contract: what the data promises, read from contract.yaml and checked when it is read."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from components.errors import ContractError, ContractFaultsError
from components.formats import parse_yaml, read_text
from components.schema import Fault, faults, hint, told
from components.source import Source, source_faults

types = {"integer": "BIGINT", "number": "DOUBLE", "text": "VARCHAR", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP"}
outcome_roles = ("outcome", "label")


@dataclass(frozen=True)
class Column:
    """One promised column; `outcome` columns are known only after the event, `private` ones never leave ingest."""

    type: str
    role: str = "feature"
    nullable: bool = False
    unique: bool = False
    unit: str = ""
    range: tuple[float, float] | None = None
    values: tuple[str | float | bool, ...] | None = None


@dataclass(frozen=True)
class Table:
    """One table: its files below the data folder, how they spell a missing value, its time column (UTC), its key.

    `rules` are SQL conditions over one row by name, `references` the `table.column` in which a column's values are,
    `rows_per` the least and the most rows of each period, `source` is where `collect` finds new rows.
    """

    files: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    time: str | None = None
    missing: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    freshness: str | None = None
    rows_per: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    source: Source | None = None

    def visible(self) -> dict[str, Column]:
        """The columns that may get past ingest."""
        return {name: column for name, column in self.columns.items() if column.role != "private"}

    def outcomes(self) -> list[str]:
        """The columns that are known only after the event."""
        return [name for name, column in self.columns.items() if column.role in outcome_roles]

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


@cache
def schema() -> Mapping[str, Any]:
    """The JSON schema of a contract, which editors read too."""
    document: Mapping[str, Any] = json.loads(read_text(Path(__file__).with_name("contract.schema.json")))
    return document


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
    """Read and check a contract; ContractError names each line that is wrong and what is allowed there."""
    return parse_contract(read_text(path), str(path))


def parse_contract(text: str, name: str = "contract.yaml") -> Contract:
    """Parse and check the text of a contract."""
    document = parse_yaml(text, name)
    _refuse(faults(document, schema()), text, name)
    contract = _contract(document)
    _refuse(list(_contract_faults(contract)), text, name)
    return contract


def _refuse(found: list[Fault], text: str, name: str) -> None:
    if found:
        raise ContractFaultsError(told(found, text, name))


def _contract(document: Mapping[str, Any]) -> Contract:
    tables = {name: _table(table) for name, table in document["tables"].items()}
    event = tables.get(document["event"])
    sliced = _with_role(event.columns, "slice") if event else []
    slices = tuple(dict.fromkeys([*document.get("slices", []), *sliced]))
    return Contract(**{**document, "slices": slices, "tables": tables})


def _table(document: Mapping[str, Any]) -> Table:
    columns = {name: _column(column) for name, column in document["columns"].items()}
    key = document.get("key") or _with_role(columns, "key")
    time = document.get("time") or next(iter(_with_role(columns, "time")), None)
    rows_per = {period: tuple(edges) for period, edges in document.get("rows_per", {}).items()}
    source = Source(**document["source"]) if "source" in document else None
    parts = {"columns": columns, "key": tuple(key), "time": time, "rows_per": rows_per, "source": source}
    return Table(**{**document, **parts})


def _column(document: Mapping[str, Any]) -> Column:
    lists = {name: tuple(document[name]) for name in ("range", "values") if name in document}
    return Column(**{**document, **lists})


def _with_role(columns: Mapping[str, Column], role: str) -> list[str]:
    return [name for name, column in columns.items() if column.role == role]


def _contract_faults(contract: Contract) -> Iterator[Fault]:
    """What no schema can say: names that must be there, edges in order, roles that agree."""
    if contract.event not in contract.tables:
        tables = list(contract.tables)
        yield Fault(("event",), f"one of {', '.join(tables)}", hint(contract.event, tables))
    elif not contract.tables[contract.event].time:
        yield Fault(("tables", contract.event), "a time column", "none")
    if int(contract.block[:-1]) == 0:
        yield Fault(("block",), "a duration above 0", contract.block)
    for name, table in contract.tables.items():
        yield from _table_faults(contract, name, table)


def _table_faults(contract: Contract, name: str, table: Table) -> Iterator[Fault]:
    place = ("tables", name)
    for column in [*table.key, *([table.time] if table.time else [])]:
        if column not in table.columns:
            expected = f"one of its columns ({', '.join(table.columns)})"
            yield Fault(
                (*place, "key" if column in table.key else "time"), expected, hint(column, list(table.columns))
            )
        elif table.columns[column].role == "private":
            yield Fault((*place, "columns", column), "a time or key that may be seen", "private")
    if table.time in table.columns and table.columns[str(table.time)].type != "timestamp":
        kind = table.columns[str(table.time)].type
        yield Fault((*place, "time"), "a timestamp", f"{kind} {table.time}")
    for rule in ("freshness", "rows_per"):
        if getattr(table, rule) and not table.time:
            yield Fault((*place, rule), "a table with a time column", "none")
    for period, (least, most) in table.rows_per.items():
        if not 0 <= least <= most or int(period[:-1]) == 0:
            yield Fault((*place, "rows_per", period), "a period above 0, the least rows first", f"[{least}, {most}]")
    if table.source:
        yield from _source_faults(name, table, table.source)
    for column in table.references:
        yield from _reference_faults(contract, name, column)
    for column, promise in table.columns.items():
        yield from _column_faults(contract, name, column, promise)


def _source_faults(name: str, table: Table, source: Source) -> Iterator[Fault]:
    timestamps = [column for column, promise in table.columns.items() if promise.type == "timestamp"]
    for fault in source_faults(source, table.files, table.time, timestamps):
        yield fault._replace(path=("tables", name, "source", *fault.path))


def _reference_faults(contract: Contract, name: str, column: str) -> Iterator[Fault]:
    """A reference runs between two columns of one type that may both be seen."""
    table, (parent, of) = contract.tables[name], contract.tables[name].references[column].split(".")
    place = ("tables", name, "references", column)
    if column not in table.visible():
        yield Fault(place, f"one of {', '.join(table.visible())}", hint(column, list(table.visible())), at_key=True)
    elif parent not in contract.tables:
        yield Fault(place, f"one of {', '.join(contract.tables)}", hint(parent, list(contract.tables)))
    elif of not in contract.tables[parent].visible():
        known = list(contract.tables[parent].visible())
        yield Fault(place, f"one of {', '.join(known)}", hint(of, known))
    elif table.columns[column].type != contract.tables[parent].columns[of].type:
        yield Fault(place, f"a column of type {table.columns[column].type}", contract.tables[parent].columns[of].type)


def _column_faults(contract: Contract, name: str, column: str, promise: Column) -> Iterator[Fault]:
    table, place = contract.tables[name], ("tables", name, "columns", column)
    if promise.range and promise.range[0] > promise.range[1]:
        yield Fault((*place, "range"), "two numbers, the lower first", str(list(promise.range)))
    if promise.range and promise.type not in ("integer", "number"):
        yield Fault((*place, "range"), "a range of an integer or a number", promise.type)
    if promise.values and promise.type not in ("integer", "text", "boolean"):
        yield Fault((*place, "values"), "the values of a text, an integer or a boolean", promise.type)
    wanted = {"time": [table.time], "key": table.key}.get(promise.role)
    if wanted is not None and column not in wanted:
        yield Fault((*place, "role"), f"the table's {promise.role} ({', '.join(map(str, wanted))})", column)
    if promise.role in ("label", "slice") and name != contract.event:
        yield Fault((*place, "role"), f"a {promise.role} in the event table {contract.event}", f"one in {name}")
    elif promise.role == "label" and column != contract.label:
        yield Fault((*place, "role"), f"the column that `label:` names ({contract.label})", column)
