"""Fetches a version of the data for the other steps."""

import shutil
from pathlib import Path

from tidegate.documents.data_version import tracked
from tidegate.documents.formats import replacing
from tidegate.versions.repository import fetch, opened


def materialise(data_dvc: str, remote: str, target: Path) -> None:
    """Fetch and verify the version in the text of data.dvc to `target`; InputError if the remote lacks it."""
    tracked(data_dvc)  # checked first, so that an invalid text does not wait for the remote
    with replacing(target) as temporary:
        # Beside the target, so that it can be renamed, on a file system that has room for it.
        scratch = temporary.with_name(f"{temporary.name}.scratch")
        with opened(scratch / "repository", remote) as repository:
            shutil.move(fetch(repository, data_dvc), temporary)
