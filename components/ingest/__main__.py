"""The command line of ingest."""

from pathlib import Path

from tidegate.components.ingest.raw_files import files_of
from tidegate.components.ingest.raw_paths import check_path
from tidegate.components.ingest.table import ingest_table
from tidegate.components.ingest.window import batch_window
from tidegate.contract.contract import parse_contract
from tidegate.documents.data_version import check_version, file_digests, folder_version, tracking
from tidegate.documents.digests import digests
from tidegate.documents.formats import read_text, replacing
from tidegate.documents.manifest import Edges, Manifest
from tidegate.process.command import Output, OutputFolder
from tidegate.process.errors import InputError
from tidegate.tables.engine import engine
from tidegate.tables.raw_file import check_readable
from tidegate.tables.recipe import content_digest


def ingest(data: Path, contract: Path, until: str, batch_days: int, tables: OutputFolder, manifest: Output) -> None:
    """Read the raw files of the contract, up to `until`, into one Parquet file per table, and write a manifest."""
    start, end = batch_window(until, batch_days)
    text = read_text(contract)
    promise = parse_contract(text, str(contract))
    files = _digests(data)
    version = folder_version(files)
    check_version(data, version)
    with replacing(tables) as folder:
        folder.mkdir()
        linked = {(data / name).resolve().parent for name in files}  # DVC may have linked files of its cache
        with engine(data, *linked, folder, spill=folder) as connection:
            read = {
                name: ingest_table(connection, files_of(data, name, table), name, table, end.isoformat(), folder)
                for name, table in promise.tables.items()
            }
        edges = Edges(start.isoformat(), end.isoformat())
        made_by = content_digest("contract", text)
        Manifest(version, until, edges, files, read, made_by, digests(tables=folder)).write(manifest)


def _digests(data: Path) -> dict[str, str]:
    if not data.is_dir():
        raise InputError(data, "the folder of raw data", "nothing", "run `dvc pull` or `tidegate run`")
    check_readable(data)
    for path in filter(tracking(data), data.rglob("*")):
        check_path(path, data)
        check_readable(path)
    return file_digests(data)
