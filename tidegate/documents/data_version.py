"""data.dvc: the version of the raw data, DVC's digest of the folder beside it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pathspec import GitIgnoreSpec

from tidegate.documents.formats import parse_yaml, read_text
from tidegate.process.errors import InputError

FILE = "data.dvc"
NEVER_TRACKED = (".dvc/", ".git", ".hg/")  # by DVC, whatever .dvcignore says
CURE = (
    "run `dvc checkout data`, or `dvc add data` to keep them; "
    "if that does not help the DVC cache is damaged: remove data and .dvc/cache, then run `tidegate run`"
)


class Tracked(NamedTuple):
    """What data.dvc tracks: the name of a file or folder, and its MD5."""

    path: str
    md5: str


def tracked(data_dvc: str) -> Tracked:
    """What the text of data.dvc tracks; InputError if it is not a valid data.dvc."""
    document = parse_yaml(data_dvc, FILE)
    outs = document.get("outs") if isinstance(document, dict) else None
    out = outs[0] if isinstance(outs, list) and len(outs) == 1 else None
    if not isinstance(out, dict) or not {"md5", "path"} <= set(out) or Path(str(out["path"])).name != out["path"]:
        raise InputError(FILE, "one output with md5 and path", "another document", "pass the text of data.dvc")
    return Tracked(str(out["path"]), str(out["md5"]))


def file_digests(data: Path) -> dict[str, str]:
    """The MD5 of each file that DVC tracks below a folder, by its relative path."""
    is_tracked = tracking(data)
    files = sorted(path for path in data.rglob("*") if path.is_file() and is_tracked(path))
    return {path.relative_to(data).as_posix(): _md5(path) for path in files}


def folder_version(digests: Mapping[str, str]) -> str:
    """DVC's digest of a folder, as in data.dvc, from the MD5 of each file by its relative path."""
    entries = [{"md5": digests[path], "relpath": path} for path in sorted(digests)]
    text = json.dumps(entries, sort_keys=True).encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest() + ".dir"


def version_of(path: Path) -> str:
    """The MD5 of a file or folder as DVC computes it, from every byte of it."""
    return folder_version(file_digests(path)) if path.is_dir() else _md5(path)


def check_version(data: Path, version: str) -> None:
    """InputError if the data.dvc beside a folder names another version; a cluster has none there, and pull checks."""
    file = data.with_name(f"{data.name}.dvc")
    if file.is_file() and (named := tracked(read_text(file)).md5) != version:
        raise InputError(data, f"the data of {file.name} ({named})", f"other files ({version})", CURE)


def tracking(data: Path) -> Callable[[Path], bool]:
    """Whether DVC tracks a path below the folder: the .dvcignore of its project may name files that are no data."""
    folders = data.absolute().parents
    project = next((folder for folder in folders if (folder / ".dvc").is_dir()), None)
    above = [folder for folder in folders if project and folder.is_relative_to(project)]
    specs = [(folder, _ignored(folder / ".dvcignore")) for folder in above]

    def is_tracked(path: Path) -> bool:
        full, end = path.absolute(), "/" * path.is_dir()
        return not any(spec.match_file(full.relative_to(folder).as_posix() + end) for folder, spec in specs)

    return is_tracked


def _ignored(file: Path) -> GitIgnoreSpec:
    lines = read_text(file).splitlines() if file.is_file() else []
    return GitIgnoreSpec.from_lines([*NEVER_TRACKED, *lines])


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
