"""The rehearsal of a draft: ingest, validate and featurize over the file that it was drafted from."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tidegate.commands.draft import PARAMETERS
from tidegate.components.featurize.__main__ import featurize
from tidegate.components.ingest.__main__ import ingest
from tidegate.components.train.window import LEAST_ROWS
from tidegate.components.validate.findings import findings_of
from tidegate.components.validate.ingested import sources
from tidegate.components.validate.rules import clean_rows
from tidegate.components.validate.table_check import check_all
from tidegate.contract.contract import Contract, literal, quoted, read_contract
from tidegate.documents.batch import Batch
from tidegate.documents.digests import digests
from tidegate.documents.findings import Findings
from tidegate.documents.formats import tables_in, write_text
from tidegate.documents.manifest import Manifest
from tidegate.documents.parameters import read_parameters
from tidegate.process.errors import InputError, messages
from tidegate.tables.engine import copy, engine, parquet


def rehearse(texts: Mapping[str, str], params: Mapping[str, Mapping[str, str]], file: Path) -> None:
    """InputError in one line if the first run would refuse these files of the problem with this data."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            _run(folder, texts, params, file)
        except InputError as error:
            found = "; ".join(messages(error)).replace(f"{folder}/data/", "").replace(f"{folder}/", "")
            cure = "write the problem by hand (docs/adapt.md), or change the file"
            raise InputError(file, "data of which a problem can be drafted", found, cure) from None


def _run(folder: Path, texts: Mapping[str, str], params: Mapping[str, Mapping[str, str]], file: Path) -> None:
    for name, text in texts.items():
        write_text(folder / name, text)
    (folder / "data").mkdir()
    _lay(file.resolve(), folder / "data" / file.name)
    contract, manifest, findings = folder / "contract.yaml", folder / "manifest.json", folder / "findings.json"
    until, batch_days = json.loads(params["ingest"]["until"]), int(params["ingest"]["batch_days"])
    ingest(folder / "data", contract, until, batch_days, folder / "tables", manifest)
    _validate(folder, contract, manifest).write(findings)
    window_days = int(params.get("train", read_parameters(PARAMETERS)["train"])["window_days"])
    sql, estimator = folder / "features.sql", folder / "model.yaml"
    features, batch = folder / "features", folder / "batch.json"
    featurize(folder / "clean", manifest, findings, contract, sql, estimator, window_days, features, batch)
    _check_history(folder, read_contract(contract), Batch.read(batch), window_days)


def _lay(file: Path, target: Path) -> None:
    """The same bytes without a copy, where that is on the same file system."""
    try:
        target.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, target)


def _check_history(folder: Path, contract: Contract, batch: Batch, window_days: int) -> None:
    """InputError when the rows before the batch are too few to train on, or have one label."""
    label, time = quoted(contract.label), quoted(contract.time)
    since = f"TIMESTAMP {literal(batch.start)} - INTERVAL {window_days} DAY"
    with engine(folder / "features") as connection:
        rows, different = connection.execute(
            f"SELECT count({label}), count(DISTINCT {label}) FROM {parquet(folder / 'features/features.parquet')} "
            f"WHERE split = 'history' AND {time} >= {since}"
        ).fetchall()[0]
    if rows < LEAST_ROWS or different < 2:
        expected = f"at least {LEAST_ROWS} labelled rows of several answers"
        many = f"{rows:,} of {different:,} answer{'s' * (different != 1)}"
        found = f"{many} before the batch, which begins {batch.start[:10]}"
        raise InputError("history", expected, found, "collect more")


def _validate(folder: Path, contract: Path, manifest: Path) -> Findings:
    """The step validate without its logging."""
    promise, ingested, clean = read_contract(contract), Manifest.read(manifest), folder / "clean"
    share = read_parameters(PARAMETERS)["validate"]["max_bad_share"]
    paths = tables_in(folder / "tables")
    clean.mkdir()
    with engine(folder / "tables", clean) as connection:
        source_tables = sources(connection, promise, paths)
        checked = check_all(connection, promise, source_tables, ingested, share)
        findings = findings_of({name: table.findings for name, table in checked.items()}, share)
        if violations := findings.violations():
            raise InputError("its draft", "rows that keep it", "; ".join(violations), "correct them")
        for name, table_check in checked.items():
            copy(connection, clean_rows(table_check.source, table_check.broken), clean / paths[name].name)
    return replace(findings, digests=digests(clean=clean))
