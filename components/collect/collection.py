"""Makes the next version of the data: fetch the newest, add new rows of the sources, push, list."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tidegate.components.collect.merge import Merged
from tidegate.components.collect.sources import gather
from tidegate.contract.contract import Table
from tidegate.documents.data_version import tracked
from tidegate.documents.moments import moment
from tidegate.process.errors import InputError
from tidegate.versions import listing
from tidegate.versions.repository import fetch, opened, save

FOLDER = "data"


def collect_rows(data_dvc: str, remote: str, tables: Mapping[str, Table], until: str) -> tuple[str, dict[str, Merged]]:
    """The text of data.dvc of the newest version with the new rows of `tables`, and the changes by table.

    Without new rows it is the newest version. Every listed version is complete, even if this is killed.
    """
    if until:
        moment("until", until, "correct it")
    if data_dvc:
        tracked(data_dvc)  # checked first, so that an invalid text does not wait for the remote
    with TemporaryDirectory() as scratch, opened(Path(scratch, "repository"), remote) as repository:
        listed = listing.listed(repository)
        newest = listing.start(data_dvc, listed)
        text = listing.text(repository, newest) if newest else data_dvc
        data = _lay(repository, text)
        if text and not newest:
            listed = listing.add(repository, text, listed)
        merged = {
            name: changes
            for name, table in tables.items()
            if table.source and (changes := gather(name, table, table.source, data, until, Path(scratch, name)))
        }
        if merged:
            text = save(repository, data)
            listing.add(repository, text, listed)
    if not text:
        raise InputError("sources", "rows for a first version of the data", "none", "check them and `until`")
    return text, merged


def _lay(repository: Any, text: str) -> Path:
    """The folder of the data before rows are added."""
    data = fetch(repository, text) if text else Path(repository.root_dir, FOLDER)
    if text and not data.is_dir():
        raise InputError("data.dvc", "a folder of files", "a file", "run `dvc add` on its folder")
    data.mkdir(exist_ok=True)
    return data
