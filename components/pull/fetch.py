"""Lays a version of the data where the steps find it."""

import shutil
import tempfile
from pathlib import Path

from tidegate.documents.formats import replacing
from tidegate.versions.repository import fetch, opened, tracked_path


def materialise(data_dvc: str, remote: str, target: Path) -> None:
    """Fetch the version that the text of data.dvc names to `target`, verified; InputError when it is not there."""
    tracked_path(data_dvc)  # a text that is none must not wait for a remote
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, for it is renamed, not copied; and where outputs fit, the way there fits too.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        with opened(Path(scratch, "repository"), remote) as repository:
            data = fetch(repository, data_dvc)
        with replacing(target) as temporary:
            shutil.move(data, temporary)
