"""The command of validate."""

from pathlib import Path
from typing import Any

import duckdb

from components.command import run
from components.contract import Table, quoted, read_contract
from components.engine import columns_of, copy, engine, view_tables
from components.errors import SchemaSkewError
from components.formats import replacing, write_json
from components.page import write_page
from components.validate.findings import summary, table_findings, violations
from components.validate.rules import bad_rows, clean_rows, extra_columns, judged_rows, rules, schema_violations


def validate(
    tables: Path, contract: Path, max_bad_share: float, clean: Path, quarantine: Path, findings: Path, report: Path
) -> None:
    """Check every table against the contract; write clean rows, quarantined rows, the findings and their page."""
    promise = read_contract(contract)
    with replacing(clean) as clean_folder, replacing(quarantine) as bad_folder:
        clean_folder.mkdir()
        bad_folder.mkdir()
        with engine(tables, clean_folder, bad_folder) as connection:
            view_tables(connection, tables)
            found = {
                name: _validate_table(connection, name, table, max_bad_share, clean_folder, bad_folder)
                for name, table in promise.tables.items()
            }
        document = summary(found, max_bad_share)
        write_json(findings, document)
        write_page(report, "validate", f"{promise.name}: validation", findings=document, contract=promise)
        if broken := violations(document):
            raise SchemaSkewError(broken, f"mend the data or contract.yaml; {report} has the whole picture")


def _validate_table(
    connection: duckdb.DuckDBPyConnection, name: str, table: Table, max_bad_share: float, clean: Path, bad: Path
) -> dict[str, Any]:
    present = columns_of(connection, quoted(name))
    missing, extra = schema_violations(table, present), extra_columns(table, present)
    checked = rules(table, present)
    judged = f"({judged_rows(quoted(name), table, checked, present)})"
    rows, broken, copies = connection.execute(
        f"SELECT count(*), count(*) FILTER (len(reasons) > 0), count(*) FILTER (copies > 1) FROM {judged}"
    ).fetchall()[0]
    reasons = connection.execute(
        f"SELECT unnest(reasons) AS reason, count(*) AS n FROM {judged} GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    copy(connection, bad_rows(judged, table, present), bad / f"{name}.parquet")
    if not missing:
        copy(connection, clean_rows(judged, table), clean / f"{name}.parquet")
    return table_findings(rows, broken, copies, reasons, missing, extra, max_bad_share)


if __name__ == "__main__":
    run(validate)
