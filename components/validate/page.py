"""What the page of a validation shows: tables and columns with the worst first, and a small picture of each column."""

from pathlib import Path
from typing import Any

from tidegate.components.validate.findings import such_as, worst_first
from tidegate.components.validate.pictures import path
from tidegate.contract.contract import Contract
from tidegate.documents.findings import Findings, TableFindings

TEMPLATE = Path(__file__).with_name("report.html")


def values(findings: Findings, contract: Contract) -> dict[str, Any]:
    """The values of the template: findings, contract, the order of tables and columns, paths of histograms."""
    tables = findings.tables
    order = sorted(tables, key=lambda name: (not tables[name].violations, -_share(tables[name])))
    columns = {name: worst_first(tables[name], list(contract.tables[name].visible())) for name in order}
    drawn = {
        name: {column: path(item.bins) for column, item in tables[name].columns.items() if item.bins} for name in order
    }
    return {
        "findings": findings,
        "contract": contract,
        "order": order,
        "columns": columns,
        "drawn": drawn,
        "such_as": such_as,
    }


def _share(table: TableFindings) -> float:
    return table.bad_rows / max(table.rows, 1)
