"""The findings of a validation: per table its rows, its bad rows and why, and what stops the run."""

from collections.abc import Mapping, Sequence

from tidegate.components.validate.rules import MissingColumn
from tidegate.documents.findings import BrokenPromise, ColumnFindings, Findings, TableFindings
from tidegate.documents.manifest import Example


def table_findings(
    rows: int,
    bad_rows: int,
    broken: Sequence[BrokenPromise],
    missing: Sequence[MissingColumn],
    of_table: Sequence[str],
    unknown: Sequence[str],
    max_bad_share: float,
    columns: Mapping[str, ColumnFindings],
) -> TableFindings:
    """The findings of one table; no violation lets the run go on, `of_table` are those of no single row."""
    violations = [f"column {item.column}: expected {item.expected}, found {item.found}" for item in missing]
    hinted = " ".join(item.found for item in missing)  # a column with another name is one mistake
    unnamed = [name for name in unknown if repr(name) not in hinted]
    violations += [f"column {name}: expected one of the contract's columns, found an unknown one" for name in unnamed]
    if not missing and rows == 0:
        violations.append("rows: expected at least one, found none")
    violations += of_table
    if rows and bad_rows / rows > max_bad_share:
        worst = ", ".join(map(_in_words, broken))
        share = f"{bad_rows / rows:.2%} ({bad_rows:,} of {rows:,})"
        violations.append(f"bad rows: expected at most {max_bad_share:.2%}, found {share}: {worst}")
    return TableFindings(rows, bad_rows, tuple(broken), tuple(unknown), tuple(violations), columns)


def _in_words(broken: BrokenPromise) -> str:
    rows = f"{broken.rows:,} row{'s' if broken.rows > 1 else ''}"
    example = f", such as {such_as(broken.example)}" if broken.example else ""
    return f"{broken.promise} ({rows}{example})"


def such_as(example: Example) -> str:
    """An example in words; a row of a file counts from the one after its header, one of the table in its order."""
    value = f"{example.value} in " if example.value is not None else ""
    return f"{value}row {example.row:,} of {example.file or 'the table'}"


def findings_of(tables: Mapping[str, TableFindings], max_bad_share: float) -> Findings:
    """The findings of all tables: accepted when no table has a violation."""
    return Findings(not any(table.violations for table in tables.values()), max_bad_share, tables)


def worst_first(table: TableFindings, columns: Sequence[str]) -> list[str]:
    """The columns of a table: the missing ones, then by the rows that break their promises, then as promised."""
    bad_rows: dict[str, int] = {}
    for broken in table.broken:
        name = broken.promise.partition(": ")[0]
        bad_rows[name] = bad_rows.get(name, 0) + broken.rows
    return sorted(columns, key=lambda name: (name in table.columns, -bad_rows.get(name, 0)))
