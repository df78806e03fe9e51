"""One file against the contract, by the rules of ingest and validate."""

import json
import tempfile
from dataclasses import replace
from functools import partial
from glob import escape
from pathlib import Path

from tidegate.components.ingest.raw_files import files_of
from tidegate.components.ingest.table import ingest_table
from tidegate.components.validate.findings import findings_of
from tidegate.components.validate.ingested import sources
from tidegate.components.validate.table_check import check as check_table
from tidegate.contract.contract import Contract, read_contract
from tidegate.documents.findings import Findings
from tidegate.documents.moments import moment
from tidegate.documents.schema import hint
from tidegate.process.command import run
from tidegate.process.errors import InputError, SchemaSkewError
from tidegate.process.termination import leave_after
from tidegate.tables.engine import engine
from tidegate.tables.raw_file import check_readable

END_OF_TIME = "9999-12-31"


def check(file: Path, table: str, contract: Path, data: Path, until: str, max_bad_share: float) -> None:
    """Print the findings of one file as JSON; SchemaSkewError lists every violation.

    References are checked where the other table has files in `data`; freshness where `until` is given.
    """
    promise = read_contract(contract)
    if table not in promise.tables:
        raise InputError(
            "--table", f"one of {', '.join(promise.tables)}", hint(table, list(promise.tables)), "correct it"
        )
    if not file.is_file():
        raise InputError(file, "a file", "nothing", "check the path")
    check_readable(file)
    if until:
        moment("--until", until, "correct it")
    with tempfile.TemporaryDirectory() as temporary:
        findings, unchecked = _findings(promise, file, table, data, until, max_bad_share, Path(temporary))
    print(json.dumps({**findings.document(), "unchecked": unchecked}, ensure_ascii=False))
    if violations := findings.violations():
        raise SchemaSkewError(violations, f"correct {file} or {contract}")


def _findings(
    contract: Contract, file: Path, name: str, data: Path, until: str, max_bad_share: float, folder: Path
) -> tuple[Findings, list[str]]:
    """The findings, and what could not be checked."""
    table = contract.tables[name]
    parents = {target.split(".")[0] for target in table.references.values()} - {name}
    with engine(folder, data, file.parent, file.resolve().parent, spill=folder) as connection:
        only = replace(table, files=escape(file.name))
        ingested = ingest_table(connection, [file], name, only, until or END_OF_TIME, folder)
        for parent in [parent for parent in parents if any(data.glob(contract.tables[parent].files))]:
            parent_table = contract.tables[parent]
            ingest_table(
                connection, files_of(data, parent, parent_table), parent, parent_table, until or END_OF_TIME, folder
            )
        paths = {path.stem: path for path in folder.glob("*.parquet")}
        source_tables = sources(connection, contract, paths)
        checked = check_table(connection, contract, name, source_tables, ingested, until or None, max_bad_share)
    unchecked = [f"reference to {parent}: no files in {data}" for parent in sorted(parents - set(paths))]
    unchecked += ["freshness: no --until"] * bool(table.freshness and not until)
    return findings_of({name: checked.findings}, max_bad_share), unchecked


if __name__ == "__main__":
    leave_after(partial(run, check))
