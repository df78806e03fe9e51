"""What validation found, as a document: per table its rows, its bad rows and why, and what stops the run."""

from collections.abc import Mapping, Sequence
from typing import Any

Example = Mapping[str, str | int]


def table_findings(
    rows: int,
    bad: int,
    reasons: Sequence[tuple[str, int]],
    missing: Sequence[Mapping[str, str]],
    whole: Sequence[str],
    extra: Sequence[str],
    max_bad_share: float,
    columns: Mapping[str, Mapping[str, Any]],
    examples: Mapping[str, Example] | None = None,
) -> dict[str, Any]:
    """The findings of one table; `violations` is empty when the run may go on, `whole` are those of no single row.

    `examples` has a row for each reason, with the value that breaks the promise unless that value says who it is.
    """
    violations = [f"column {item['column']}: expected {item['expected']}, found {item['found']}" for item in missing]
    hinted = " ".join(item["found"] for item in missing)  # a column with another name is one mistake
    unknown = [name for name in extra if repr(name) not in hinted]
    violations += [f"column {name}: expected one of the contract's columns, found an unknown one" for name in unknown]
    if not missing and rows == 0:
        violations.append("rows: expected at least one, found none")
    violations += whole
    if rows and bad / rows > max_bad_share:
        worst = ", ".join(_told(reason, count, (examples or {}).get(reason)) for reason, count in reasons)
        violations.append(
            f"bad rows: expected at most {max_bad_share:.2%}, found {bad / rows:.2%} ({bad:,} of {rows:,}): {worst}"
        )
    return {
        "rows": rows,
        "bad_rows": bad,
        "broken": [_document(reason, count, (examples or {}).get(reason)) for reason, count in reasons],
        "unknown_columns": list(extra),
        "violations": violations,
        "columns": {name: dict(found) for name, found in columns.items()},
    }


def _document(reason: str, count: int, example: Example | None) -> dict[str, Any]:
    return {"promise": reason, "rows": count, **({"example": dict(example)} if example else {})}


def _told(reason: str, count: int, example: Example | None) -> str:
    rows = f"{count:,} row{'s' if count > 1 else ''}"
    return f"{reason} ({rows}, such as {such_as(example)})" if example else f"{reason} ({rows})"


def such_as(example: Example) -> str:
    """An example in words; a row of a file counts from the one after its header, one of the table in its order."""
    value = f"{example['value']} in " if "value" in example else ""
    return f"{value}row {example['row']:,} of {example.get('file', 'the table')}"


def summary(tables: Mapping[str, Mapping[str, Any]], max_bad_share: float) -> dict[str, Any]:
    """The whole document: accepted when no table has a violation."""
    return {
        "accepted": not any(found["violations"] for found in tables.values()),
        "max_bad_share": max_bad_share,
        "tables": dict(tables),
    }


def violations(findings: Mapping[str, Any]) -> list[str]:
    """Every violation as one line, the table first."""
    return [f"{table}: {line}" for table, found in findings["tables"].items() for line in found["violations"]]


def worst_first(table: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    """The columns of a table: the missing ones, then by the rows that break their promises, then as promised."""
    broken: dict[str, int] = {}
    for item in table["broken"]:
        name = item["promise"].partition(": ")[0]
        broken[name] = broken.get(name, 0) + item["rows"]
    return sorted(columns, key=lambda name: (name in table["columns"], -broken.get(name, 0)))
