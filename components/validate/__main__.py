"""The command of validate."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb

from tidegate.components.validate import publication
from tidegate.components.validate.findings import findings_of
from tidegate.components.validate.ingested import sources
from tidegate.components.validate.labels import one_answer
from tidegate.components.validate.log import log
from tidegate.components.validate.page import TEMPLATE, values
from tidegate.components.validate.rules import bad_rows, clean_rows
from tidegate.components.validate.table_check import Checked, check_all
from tidegate.contract.contract import Contract, parse_contract
from tidegate.documents.digests import check, digests
from tidegate.documents.findings import Findings
from tidegate.documents.formats import read_text, replacing, tables_in
from tidegate.documents.manifest import Manifest
from tidegate.pages.page import write_page
from tidegate.process.command import Output, OutputFolder
from tidegate.process.errors import InputError, SchemaSkewError
from tidegate.tables.engine import copy, engine
from tidegate.tables.recipe import read_manifest

MEMORY = "640MB"  # of DuckDB; with the process around it this stays below 1 GiB


def validate(
    tables: Path,
    manifest: Path,
    contract: Path,
    max_bad_share: float,
    publish: str,
    clean: OutputFolder,
    quarantine: OutputFolder,
    findings: Output,
    report: Output,
) -> None:
    """Check every table against the contract; write clean rows, quarantined rows, the findings and their page.

    Copy the clean rows to the place `publish`, if there is one, for a server that answers events from them.
    """
    if publish:
        publication.check_place(publish, clean)
    text = read_text(contract)
    promise, ingested = parse_contract(text, str(contract)), read_manifest(manifest, text)
    paths = tables_in(tables)
    for name in promise.tables:
        if name not in paths:
            raise InputError(tables / f"{name}.parquet", f"the table {name}", "nothing", "run ingest again")
    check(ingested.digests, tables=tables)
    with replacing(clean) as clean_folder, replacing(quarantine) as bad_folder:
        clean_folder.mkdir()
        bad_folder.mkdir()
        with engine(tables, clean_folder, bad_folder, spill=clean_folder) as connection:
            connection.execute(f"SET memory_limit = '{MEMORY}'")
            checked, document = _validation(connection, promise, ingested, paths, max_bad_share)
            if violations := document.violations():
                _write_findings(findings, report, document, promise)
                files = {"report.html": report, "findings.json": findings}
                logged = log(promise.name, ingested, files, len(violations))
                cure = f"correct the data or contract.yaml; {logged}; {report} has the whole picture"
                raise SchemaSkewError(violations, cure)
            for name, table in checked.items():
                _write(connection, paths[name], table, clean_folder, bad_folder)
        document = replace(document, digests=digests(clean=clean_folder))
        if publish:
            print(publication.publish(clean_folder, publish, ingested.batch.end))
        _write_findings(findings, report, document, promise)


def _validation(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    ingested: Manifest,
    paths: Mapping[str, Path],
    max_bad_share: float,
) -> tuple[dict[str, Checked], Findings]:
    """Every table against the contract, and the findings of all; warnings about the labels are printed as well."""
    tables = sources(connection, contract, paths)
    checked = check_all(connection, contract, tables, ingested, max_bad_share)
    warnings = tuple(one_answer(connection, tables[contract.event], ingested.batch))
    for line in warnings:
        print(f"warning: {contract.event}: {line}", file=sys.stderr)
    findings = {name: table.findings for name, table in checked.items()}
    findings[contract.event] = replace(findings[contract.event], warnings=warnings)
    return checked, findings_of(findings, max_bad_share)


def _write_findings(findings: Path, report: Path, document: Findings, contract: Contract) -> None:
    """Both or neither: where the disk is full the earlier ones stay."""
    with replacing(findings) as new_findings, replacing(report) as new_report:
        document.write(new_findings)
        write_page(new_report, TEMPLATE, f"{contract.name}: validation", **values(document, contract))


def _write(connection: duckdb.DuckDBPyConnection, path: Path, checked: Checked, clean: Path, bad: Path) -> None:
    """Write the clean and the bad rows of a table; one that is all as promised is taken over as it is."""
    source, broken = checked.source, checked.broken
    copy(connection, bad_rows(source, broken), bad / path.name)
    if not broken and source.as_promised():
        shutil.copyfile(path, clean / path.name)
    else:
        copy(connection, clean_rows(source, broken), clean / path.name)
