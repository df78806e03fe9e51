"""What validation found, as a document: per table its rows, its bad rows and why, and what stops the run."""

from collections.abc import Mapping, Sequence
from typing import Any


def table_findings(
    rows: int,
    bad: int,
    duplicates: int,
    reasons: Sequence[tuple[str, int]],
    missing: Sequence[Mapping[str, str]],
    extra: Sequence[str],
    max_bad_share: float,
) -> dict[str, Any]:
    """The findings of one table; `violations` is empty when the run may go on."""
    violations = [f"column {item['column']}: expected {item['expected']}, found {item['found']}" for item in missing]
    if not missing and rows == 0:
        violations.append("rows: expected at least one, found none")
    if duplicates:
        violations.append(f"key: expected unique rows, found {duplicates:,} rows that share their key")
    if rows and bad / rows > max_bad_share:
        worst = ", ".join(f"{reason} ({count:,} rows)" for reason, count in reasons[:5])
        violations.append(
            f"bad rows: expected at most {max_bad_share:.2%}, found {bad / rows:.2%} ({bad:,} of {rows:,}): {worst}"
        )
    return {
        "rows": rows,
        "bad_rows": bad,
        "broken": [{"promise": reason, "rows": count} for reason, count in reasons],
        "unknown_columns": list(extra),
        "violations": violations,
    }


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
