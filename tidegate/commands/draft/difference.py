"""What differs between two contracts, a contract and a file, or two files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from tidegate.commands.draft.inference import drafts
from tidegate.contract.contract import Column, Contract, Table, column_of, read_contract
from tidegate.contract.names import folded
from tidegate.process.command import run
from tidegate.process.errors import InputError
from tidegate.process.termination import leave_after

Change = dict[str, str]


def diff(old: Path, new: Path, table: str) -> None:
    """Print the differences as JSON: place, old, new; `table` names the table of a file, or is empty."""
    if _is_contract(old) and _is_contract(new):
        changes = list(_contracts(read_contract(old), read_contract(new)))
    elif _is_contract(old):
        contract = read_contract(old)
        name = table or _table_of(contract, new)
        if name not in contract.tables:
            raise InputError("--table", f"one of {', '.join(contract.tables)}", repr(name), "name it")
        visible = contract.tables[name].visible()
        private = set(contract.tables[name].columns) - set(visible)
        promised = {column: promise for column, promise in visible.items() if len(promise.made_of) < 2}
        named = _by_the_names_of(contract.tables[name], _columns(new))
        came = {column: promise for column, promise in named.items() if column not in private}
        changes = list(_columns_changed(name, promised, came, contract.tables[name].key, beyond=True))
    else:
        changes = list(_columns_changed(table or new.name.partition(".")[0], _columns(old), _columns(new), (), False))
    print(json.dumps(changes, ensure_ascii=False))


def _is_contract(path: Path) -> bool:
    return path.suffix in (".yaml", ".yml")


def _table_of(contract: Contract, file: Path) -> str:
    names = [name for name, table in contract.tables.items() if file.match(table.files)]
    return names[0] if names else file.name.partition(".")[0]


def _columns(file: Path) -> dict[str, Column]:
    """The columns of the file; one without any value has no type."""
    (table,) = drafts([file]).values()
    empty = dict.fromkeys(table.get("empty", ()), Column("empty", nullable=True))
    return {name: column_of(document) for name, document in table["columns"].items()} | empty


def _by_the_names_of(table: Table, came: Mapping[str, Column]) -> dict[str, Column]:
    """The columns of a file by their names in the contract, without those that are only parts of another column."""
    alone = {name: column.made_of[0] if column.made_of else name for name, column in table.columns.items()
             if len(column.made_of) < 2}  # fmt: skip
    names = {folded(of): name for name, of in alone.items()}
    parts = {folded(part) for column in table.columns.values() for part in column.made_of}
    by_origin = {(column.made_of or (name,))[0]: column for name, column in came.items()}
    selected = {of: column for of, column in by_origin.items() if folded(of) in names or folded(of) not in parts}
    return {names.get(folded(of), of): column for of, column in selected.items()}


def _contracts(old: Contract, new: Contract) -> Iterator[Change]:
    before, after = _flat(asdict(old)), _flat(asdict(new))
    for place in sorted({*before, *after}):
        if before.get(place) != after.get(place):
            yield {"place": place, "old": before.get(place, "none"), "new": after.get(place, "none")}


def _flat(value: Any, place: str = "") -> dict[str, str]:
    """The leaves of a document by dotted path; absent keys are omitted."""
    if isinstance(value, Mapping):
        return {k: v for name, item in value.items() for k, v in _flat(item, f"{place}.{name}".lstrip(".")).items()}
    return {} if value in (None, "", ()) else {place: _display(value)}


def _columns_changed(
    table: str, old: Mapping[str, Column], new: Mapping[str, Column], key: tuple[str, ...], beyond: bool
) -> Iterator[Change]:
    """Columns that were added, removed or changed; with `beyond` only changes that break the older promise."""
    for name in [*old, *(name for name in new if name not in old)]:
        place = f"tables.{table}.columns.{name}"
        if name not in new or name not in old:
            kinds = [columns[name].type if name in columns else "none" for columns in (old, new)]
            yield {"place": place, "old": kinds[0], "new": kinds[1]}
            continue
        for field in ("type", "nullable", "range", "values"):
            before, after = getattr(old[name], field), getattr(new[name], field)
            if _breaks(field, old[name], new[name]) if beyond else before != after:
                said = ("as promised", "beyond") if name in key else (_display(before), _display(after))
                yield {"place": f"{place}.{field}", "old": said[0], "new": said[1]}


def _breaks(field: str, old: Column, new: Column) -> bool:
    before, after = getattr(old, field), getattr(new, field)
    if field == "type":
        return before != after and (before, after) not in {
            ("number", "integer"),
            ("text", "integer"),
            ("text", "number"),
            (before, "empty"),
        }
    if field == "nullable":
        return after and not before
    if before is None:
        return False
    if field == "range":
        return bool(after and (after[0] < before[0] or after[1] > before[1]))
    return after is not None and not set(map(str, after)) <= set(map(str, before))


def _display(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    leave_after(partial(run, diff))
