"""The contract of a problem, read from contract.yaml and checked when it is read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tidegate.contract.behaviour import Behaviour, behaviour
from tidegate.contract.coherence import disagreements
from tidegate.contract.source import Source
from tidegate.documents.formats import parse_yaml, read_text
from tidegate.documents.schema import Fault, faults, messages
from tidegate.process.errors import ContractFaultsError

SQL_TYPE = {"integer": "BIGINT", "number": "DOUBLE", "text": "VARCHAR", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP"}
OUTCOME_ROLES = ("outcome", "label")


@dataclass(frozen=True)
class Column:
    """One column; `outcome` columns are known only after the event, `private` ones are dropped by ingest.

    `nullable` may be the share of the rows that may lack a value. `made_of` are the file's columns that it is read
    from (`from` in YAML; several are joined by a space), `format` is how they spell it, `missing` are values that
    stand for none, and before `since` (ISO) rows need not have it.
    """

    type: str
    role: str = "feature"
    nullable: bool | float = False
    unique: bool = False
    unit: str = ""
    range: tuple[float, float] | None = None
    values: tuple[str | float | bool, ...] | None = None
    format: str = ""
    made_of: tuple[str, ...] = ()
    missing: tuple[str | float, ...] = ()
    since: str | None = None


@dataclass(frozen=True)
class Table:
    """One table: its files below the data folder, their spellings of a missing value, time column (UTC), primary key.

    `rules` are named SQL conditions over one row, `references` maps foreign keys to `table.column`, `rows_per` holds
    the least and the most rows of each period, `source` is where `collect` finds new rows.
    """

    files: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    time: str | None = None
    missing: tuple[str, ...] = ("",)
    other_columns: str = "stop"
    rules: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    freshness: str | None = None
    rows_per: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    source: Source | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    header: str = "names"
    skip_lines: int = 0

    def visible(self) -> dict[str, Column]:
        """The columns that ingest keeps: all that are not private."""
        return {name: column for name, column in self.columns.items() if column.role != "private"}

    def identifying(self) -> set[str]:
        """The columns whose values identify a row; messages never contain these values."""
        identifiers = {name for name, column in self.columns.items() if column.unique or column.role == "private"}
        return {*self.key, *identifiers}

    def outcomes(self) -> list[str]:
        """The columns that are known only after the event."""
        return [name for name, column in self.columns.items() if column.role in OUTCOME_ROLES]

    def in_files(self) -> list[str]:
        """The columns of the files from which those of the table are read, in the order of the contract."""
        return list(dict.fromkeys(part for name, column in self.columns.items() for part in column.made_of or (name,)))

    def order(self) -> str:
        """The ORDER BY list of a total order: time, then key."""
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
    behaviour: Mapping[str, Behaviour] = field(default_factory=dict)
    drift: Mapping[str, str] = field(default_factory=dict)

    @property
    def time(self) -> str:
        """The event table's time column, which determines the batch."""
        time = self.tables[self.event].time
        assert time is not None
        return time

    @property
    def identity(self) -> list[str]:
        """The columns that identify an event and are not features: time and key of the event table."""
        return list(dict.fromkeys([self.time, *self.tables[self.event].key]))


@cache
def schema() -> Mapping[str, Any]:
    """The JSON schema of a contract, which editors use too."""
    document: Mapping[str, Any] = json.loads(read_text(Path(__file__).with_name("contract.schema.json")))
    return document


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def number(value: float) -> str:
    """A number as SQL, which has no word for infinity and no whole number of any size."""
    return str(value) if abs(value) < 2**63 else f"{literal(str(float(value)))}::DOUBLE"


def literals(texts: Sequence[str]) -> str:
    """`texts` as an SQL list."""
    return f"[{', '.join(map(literal, texts))}]"


def read_contract(path: Path) -> Contract:
    """Read and check a contract; ContractError names each invalid line and what is allowed there."""
    return parse_contract(read_text(path), str(path))


def parse_contract(text: str, name: str = "contract.yaml") -> Contract:
    """Parse and check the text of a contract; `name` is the file in error messages."""
    document = parse_yaml(text, name)
    _refuse(faults(document, schema()), text, name)
    contract = _contract(document)
    _refuse(list(disagreements(contract)), text, name)
    return contract


def _refuse(problems: Sequence[Fault], text: str, name: str) -> None:
    if problems:
        raise ContractFaultsError(messages(problems, text, name))


def _contract(document: Mapping[str, Any]) -> Contract:
    tables = {name: _table(table) for name, table in document["tables"].items()}
    event = tables.get(document["event"])
    columns = event.columns if event else {}
    slices = tuple(dict.fromkeys([*document.get("slices", []), *_with_role(columns, "slice")]))
    weight = document.get("weight") or next(iter(_with_role(columns, "weight")), None)
    tests = {name: behaviour(test) for name, test in document.get("behaviour", {}).items()}
    parts = {"slices": slices, "weight": weight, "behaviour": tests, "tables": tables}
    return Contract(**{**document, **parts})


def _table(document: Mapping[str, Any]) -> Table:
    columns = {name: column_of(column) for name, column in document["columns"].items()}
    key = document.get("key") or _with_role(columns, "key")
    time = document.get("time") or next(iter(_with_role(columns, "time")), None)
    rows_per = {period: tuple(edges) for period, edges in document.get("rows_per", {}).items()}
    missing = document.get("missing", "")
    parts = {
        "columns": columns,
        "key": tuple(key),
        "time": time,
        "missing": (missing,) if isinstance(missing, str) else tuple(missing),
        "rows_per": rows_per,
        "source": Source(**document["source"]) if "source" in document else None,
    }
    return Table(**{**document, **parts})


def column_of(document: Mapping[str, Any]) -> Column:
    """One column as contract.yaml has it."""
    lists = {name: tuple(document[name]) for name in ("range", "values", "missing") if name in document}
    made_of = document.get("from", ())
    parts = {**document, **lists, "made_of": (made_of,) if isinstance(made_of, str) else tuple(made_of)}
    return Column(**{name: value for name, value in parts.items() if name != "from"})


def _with_role(columns: Mapping[str, Column], role: str) -> list[str]:
    return [name for name, column in columns.items() if column.role == role]
