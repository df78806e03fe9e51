"""The command of validate."""

import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from tidegate.components.validate.findings import summary, violations
from tidegate.components.validate.ingested import sources
from tidegate.components.validate.labels import one_answer
from tidegate.components.validate.log import tell
from tidegate.components.validate.page import TEMPLATE, values
from tidegate.components.validate.rules import bad_rows, clean_rows
from tidegate.components.validate.table_check import Checked, check
from tidegate.contract.contract import Contract, read_contract
from tidegate.documents.formats import read_json, replacing, tables_in, write_json
from tidegate.pages.page import write_page
from tidegate.process.command import Output, OutputFolder
from tidegate.process.errors import InputError, SchemaSkewError
from tidegate.tables.engine import copy, engine

memory = "640MB"  # of DuckDB; with the process around it this stays below 1 GiB


def validate(
    tables: Path,
    manifest: Path,
    contract: Path,
    max_bad_share: float,
    clean: OutputFolder,
    quarantine: OutputFolder,
    findings: Output,
    report: Output,
) -> None:
    """Check every table against the contract; write clean rows, quarantined rows, the findings and their page."""
    promise, made = read_contract(contract), read_json(manifest)
    paths = tables_in(tables)
    for name in promise.tables:
        if name not in paths:
            raise InputError(tables / f"{name}.parquet", f"the table {name}", "nothing", "run ingest again")
    with replacing(clean) as clean_folder, replacing(quarantine) as bad_folder:
        clean_folder.mkdir()
        bad_folder.mkdir()
        with engine(tables, clean_folder, bad_folder, spill=clean_folder) as connection:
            connection.execute(f"SET memory_limit = '{memory}'")
            known = sources(connection, promise, paths)
            made_of = made.get("tables", {})
            checked = {
                name: check(connection, promise, name, known, made_of.get(name, {}), made["until"], max_bad_share)
                for name in promise.tables
            }
            _warn(checked[promise.event], promise.event, one_answer(connection, known[promise.event], made["batch"]))
            document = summary({name: found.findings for name, found in checked.items()}, max_bad_share)
            if broken := violations(document):
                _write_findings(findings, report, document, promise)
                told = tell(promise.name, made, {"report.html": report, "findings.json": findings}, len(broken))
                cure = f"mend the data or contract.yaml; {told}; {report} has the whole picture"
                raise SchemaSkewError(broken, cure)
            for name, found in checked.items():
                _write(connection, paths[name], found, clean_folder, bad_folder)
        _write_findings(findings, report, document, promise)


def _warn(checked: Checked, table: str, lines: Iterable[str]) -> None:
    """Say what does not stop the run, here and in the findings."""
    if warnings := list(lines):
        checked.findings["warnings"] = warnings
        for line in warnings:
            print(f"warning: {table}: {line}", file=sys.stderr)


def _write_findings(findings: Path, report: Path, document: Mapping[str, Any], contract: Contract) -> None:
    """Both or neither: where the disk is full the earlier ones stay."""
    with replacing(findings) as new_findings, replacing(report) as new_report:
        write_json(new_findings, document)
        write_page(new_report, TEMPLATE, f"{contract.name}: validation", **values(document, contract))


def _write(connection: duckdb.DuckDBPyConnection, path: Path, checked: Checked, clean: Path, bad: Path) -> None:
    """Write the clean and the bad rows of a table; one that is all as promised is taken over as it is."""
    source, broken = checked.source, checked.broken
    copy(connection, bad_rows(source, broken), bad / path.name)
    if not broken and source.as_promised():
        shutil.copyfile(path, clean / path.name)
    else:
        copy(connection, clean_rows(source, broken), clean / path.name)
