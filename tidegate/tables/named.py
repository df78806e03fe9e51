"""Maps the columns of a file to those of the contract: names in another case, other names, several joined."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tidegate.contract.contract import Column, Table, literal, quoted
from tidegate.contract.names import folded
from tidegate.process.errors import InputError
from tidegate.tables.engine import cast


def named(columns: Iterable[str], table: Table) -> dict[str, str]:
    """The SQL of each column of the table that the file has, and of each column that the contract does not know.

    `columns` are the names in the file, or a mapping of the names to their SQL.
    """
    values_by_name = columns if isinstance(columns, Mapping) else {name: quoted(name) for name in columns}
    values_by_key = {folded(name): value for name, value in values_by_name.items()}
    plain = {folded(name): name for name, column in table.columns.items() if not column.made_of}
    parts = {folded(part) for column in table.columns.values() for part in column.made_of}
    columns_of_table = {}
    for name, value in values_by_name.items():
        if folded(name) in plain:
            own = plain[folded(name)]
            columns_of_table[own] = _value([value], table.columns[own])
        elif folded(name) not in parts:
            columns_of_table[name] = value
    for name, column in table.columns.items():
        values = [values_by_key[folded(part)] for part in column.made_of if folded(part) in values_by_key]
        if column.made_of and len(values) == len(column.made_of):
            columns_of_table[name] = _value(values, column)
    return columns_of_table


def _value(parts: Sequence[str], column: Column) -> str:
    """The SQL of a value as text: its parts joined by a space; null for a missing value."""
    joined = " || ' ' || ".join(parts)  # null if one of them is null
    value = parts[0] if len(parts) == 1 else f"({joined})"
    if not column.missing:
        return value
    texts = [text for text in column.missing if isinstance(text, str)]
    numbers = [repr(float(number)) for number in column.missing if not isinstance(number, str)]
    absent = [f"{value} IN ({', '.join(map(literal, texts))})"] if texts else []
    if numbers:
        number = f"({cast(value, 'number', column.format)})"
        absent.append(f"coalesce({number} IN ({', '.join(f'{item}::DOUBLE' for item in numbers)}), false)")
    return f"CASE WHEN NOT ({' OR '.join(absent)}) THEN {value} END"


def check_same(names: Mapping[Path, Sequence[str]], table: Table) -> None:
    """InputError if the files differ in their columns; names the file that differs from the contract.

    Dropped columns may be in any file, and columns with `since` may be missing in some.
    """
    first = next(iter(names))
    if not any(_differs(columns, names[first], table) for columns in names.values()):
        return
    usual = next((path for path in names if not _differs(names[path], table.in_files(), table)), first)
    for path, columns in names.items():
        if difference := _differs(columns, names[usual], table):
            cure = "give all files of a table the same columns, or see `since` and `other_columns` in docs/contract.md"
            raise InputError(path, f"the columns of {usual.name}", difference, cure)


def _differs(columns: Sequence[str], usual: Sequence[str], table: Table) -> str:
    """The missing and the additional columns of a file, in words; empty if they are permitted."""
    optional = {folded(part) for name, c in table.columns.items() if c.since for part in c.made_of or (name,)}
    dropped = table.other_columns == "drop"
    promised = set(map(folded, table.in_files()))
    idle = {folded(name) for name in (*columns, *usual) if dropped and folded(name) not in promised}
    names, usual_names = ({folded(name): name for name in some} for some in (columns, usual))
    missing = sorted(usual_names[name] for name in usual_names.keys() - names.keys() - optional - idle)
    extra = sorted(names[name] for name in names.keys() - usual_names.keys() - optional - idle)
    return " and ".join(
        ([f"no {', '.join(missing)}"] if missing else []) + ([f"also {', '.join(extra)}"] if extra else [])
    )
