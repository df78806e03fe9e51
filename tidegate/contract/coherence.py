"""Checks of a contract that its JSON schema cannot express: names, bounds and roles that must agree."""

import io
from collections.abc import Iterable, Iterator
from datetime import date
from math import isfinite
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tidegate.contract.behaviour import behaviour_faults
from tidegate.contract.forms import form_fault
from tidegate.contract.names import folded, reserved
from tidegate.contract.source import Source, source_faults
from tidegate.documents.schema import Fault, hint, listed

if TYPE_CHECKING:
    from tidegate.contract.contract import Column, Contract, Table


def disagreements(contract: "Contract") -> Iterator[Fault]:
    """Every fault of a contract that its JSON schema accepts."""
    if contract.event not in contract.tables:
        tables = list(contract.tables)
        yield Fault(("event",), f"one of {listed(tables)}", hint(contract.event, tables))
    else:
        yield from _event_faults(contract, contract.tables[contract.event])
    if int(contract.block[:-1]) == 0:
        yield Fault(("block",), "a duration above 0", contract.block)
    yield from behaviour_faults(contract.behaviour, contract.task)
    yield from _twins(("tables",), contract.tables)
    for name, table in contract.tables.items():
        yield from _table_faults(contract, name, table)


def _event_faults(contract: "Contract", event: "Table") -> Iterator[Fault]:
    """The event table needs a time column, and some column must be known only after the event."""
    place, label = ("tables", contract.event), event.columns.get(contract.label)
    own = [*event.key, *filter(None, [event.time, contract.weight])]
    for name in filter(reserved, dict.fromkeys(own)):
        cure = "give the column another name, with `from`"
        yield Fault((*place, "columns", name), "a name that Tidegate does not use itself", name, True, cure)
    if reserved(contract.label):
        cure = "give the label another name; a column gets one with `from`"
        yield Fault(("label",), "a name that Tidegate does not use itself", contract.label, cure=cure)
    if not event.time:
        yield Fault(place, "a time column", "none")
    if label and label.role == "feature":
        expected = "the role label, because it is predicted"
        yield Fault((*place, "columns", contract.label), expected, "the role feature", cure="add role: label")
    elif not any(table.outcomes() or (table.time and table is not event) for table in contract.tables.values()):
        expected = "a column with the role outcome or label, from which the label is computed"
        yield Fault(place, expected, "none", cure="say which columns are known only after the event")


def _twins(place: tuple[str, ...], names: Iterable[str]) -> Iterator[Fault]:
    """Names that differ only in case, which SQL does not distinguish."""
    spellings: dict[str, str] = {}
    for name in names:
        first = spellings.setdefault(folded(name), name)
        if first != name:
            yield Fault((*place, name), f"a name that differs from {first} in more than case", name, at_key=True)


def _table_faults(contract: "Contract", name: str, table: "Table") -> Iterator[Fault]:
    place = ("tables", name)
    yield from _files_faults((*place, "files"), table.files)
    yield from _spelling_faults(place, table)
    yield from _twins((*place, "columns"), table.columns)
    yield from _order_faults(place, table)
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
        yield from _column_faults((*place, "columns", column), promise)
        yield from _role_faults(contract, name, column)


def _source_faults(name: str, table: "Table", source: Source) -> Iterator[Fault]:
    timestamps = [column for column, promise in table.columns.items() if promise.type == "timestamp"]
    for fault in source_faults(source, table.files, table.time, timestamps):
        yield fault._replace(path=("tables", name, "source", *fault.path))


def _files_faults(place: tuple[str, ...], files: str) -> Iterator[Fault]:
    path = PurePosixPath(files)
    if path.is_absolute() or ".." in path.parts:
        yield Fault(place, "a path or a glob below data/", files)
    elif any("**" in part and part != "**" for part in path.parts):
        yield Fault(place, "** as the whole name of a folder, such as **/*.csv", files)


def _spelling_faults(place: tuple[str, ...], table: "Table") -> Iterator[Fault]:
    """Encoding, formats and origins of columns; none in a table with a source, because `collect` writes it."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=table.encoding)
    except (LookupError, ValueError):
        yield Fault((*place, "encoding"), "an encoding such as utf-8 or latin-1", table.encoding)
    for name, column in table.columns.items():
        if column.format and (wrong := form_fault(column.type, column.format)):
            yield Fault((*place, "columns", name, "format"), *wrong)
        if column.since and (not table.time or not _is_day(column.since)):
            expected = "a day" if table.time else "a table with a time column"
            yield Fault((*place, "columns", name, "since"), expected, column.since if table.time else "none")
    if table.source:
        odd: list[tuple[str, ...]] = [("delimiter",)] * (table.delimiter != ",")
        odd += [("encoding",)] * (table.encoding != "utf-8")
        odd += [("header",)] * (table.header != "names") + [("skip_lines",)] * (table.skip_lines > 0)
        parts = {"format": "format", "from": "made_of", "missing": "missing", "since": "since"}
        for name, column in table.columns.items():
            odd += [("columns", name, part) for part, field in parts.items() if getattr(column, field)]
        for where in odd:
            yield Fault((*place, *where), "the usual spelling in a table with a source", f"`{where[-1]}`")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _order_faults(place: tuple[str, ...], table: "Table") -> Iterator[Fault]:
    """Time and key must be columns of the table that are not private."""
    for column in [*table.key, *([table.time] if table.time else [])]:
        if column not in table.columns:
            columns = list(table.columns)
            part = "key" if column in table.key else "time"
            yield Fault((*place, part), f"one of its columns ({listed(columns)})", hint(column, columns))
        elif table.columns[column].role == "private":
            yield Fault((*place, "columns", column), "a time or key that is not private", "private")
    if table.time in table.columns and table.columns[str(table.time)].type != "timestamp":
        kind = table.columns[str(table.time)].type
        yield Fault((*place, "time"), "a timestamp", f"{kind} {table.time}")


def _reference_faults(contract: "Contract", name: str, column: str) -> Iterator[Fault]:
    """A foreign key and the column that it refers to must have the same type; neither may be private."""
    table, (parent, of) = contract.tables[name], contract.tables[name].references[column].split(".")
    place = ("tables", name, "references", column)
    if column not in table.visible():
        yield Fault(place, f"one of {listed(list(table.visible()))}", hint(column, list(table.visible())), at_key=True)
    elif parent not in contract.tables:
        yield Fault(place, f"one of {listed(list(contract.tables))}", hint(parent, list(contract.tables)))
    elif of not in contract.tables[parent].visible():
        columns = list(contract.tables[parent].visible())
        yield Fault(place, f"one of {listed(columns)}", hint(of, columns))
    elif table.columns[column].type != contract.tables[parent].columns[of].type:
        yield Fault(place, f"a column of type {table.columns[column].type}", contract.tables[parent].columns[of].type)


def _column_faults(place: tuple[str, ...], promise: "Column") -> Iterator[Fault]:
    if promise.range and not (all(map(isfinite, promise.range)) and promise.range[0] <= promise.range[1]):
        yield Fault((*place, "range"), "two finite numbers, the lower first", str(list(promise.range)))
    if promise.range and promise.type not in ("integer", "number"):
        yield Fault((*place, "range"), "a range of an integer or a number", promise.type)
    if promise.values and promise.type not in ("integer", "text", "boolean"):
        yield Fault((*place, "values"), "the values of a text, an integer or a boolean", promise.type)
    if promise.role == "weight" and promise.type not in ("integer", "number"):
        yield Fault((*place, "type"), "a weight of type integer or number", promise.type)


def _role_faults(contract: "Contract", name: str, column: str) -> Iterator[Fault]:
    """A role must agree with the keys `time`, `key`, `label` and `weight` of the contract."""
    table, place = contract.tables[name], ("tables", name, "columns", column, "role")
    role = table.columns[column].role
    wanted = {"time": [table.time], "key": table.key}.get(role)
    if wanted is not None and column not in wanted:
        yield Fault(place, f"the table's {role} ({', '.join(map(str, wanted))})", column)
    if role in ("label", "slice", "weight") and name != contract.event:
        yield Fault(place, f"a {role} in the event table {contract.event}", f"one in {name}")
    elif role == "label" and column != contract.label:
        yield Fault(place, f"the column that `label:` names ({contract.label})", column)
    elif role == "weight" and column != contract.weight:
        yield Fault(place, f"one weight ({contract.weight})", column)
