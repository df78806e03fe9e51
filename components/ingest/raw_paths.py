"""What may lie in the folder of raw data: files by plain names, and links that stay in it or are DVC's own."""

import hashlib
import re
from pathlib import Path

from tidegate.process.errors import CONTROL, InputError

CACHED = re.compile(r"/([0-9a-f]{2})/([0-9a-f]{30})$")  # DVC's cache names a file by its MD5


def check_path(path: Path, data: Path) -> None:
    """Raise InputError for a name with a control character, or a link out of `data`.

    DVC may lay links into its cache: they lead to a file whose MD5 is its name, so to no other file.
    """
    if CONTROL.search(path.name):
        raise InputError(path, "a name without control characters and line ends", "one", "rename it")
    if not path.is_symlink():
        return
    cure = "put the file there instead of the link, then run `dvc add data`"
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # it leads to nothing, or to itself
        raise InputError(path, "a file", "a link to nothing", cure) from None
    if not target.is_relative_to(data.resolve()) and not _is_cached(target):
        raise InputError(path, "a file of the data", "a link to a file elsewhere", cure)


def _md5(path: Path) -> str:
    """The MD5 of a file, 32 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _is_cached(target: Path) -> bool:
    name = CACHED.search(target.as_posix())
    return name is not None and target.is_file() and _md5(target) == f"{name[1]}{name[2]}"
