"""Readers and writers of the file formats that steps exchange; writes are atomic."""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from tidegate.process import runner
from tidegate.process.errors import InputError

# The paths that are being replaced, and their temporary paths.
unfinished: dict[Path, Path] = {}
# What may stand beside a path under its temporary name: the earlier content, files of sqlite, a scratch folder.
ENDINGS = ("", ".old", ".scratch", "-journal", "-wal", "-shm")
TEMPORARY = re.compile(rf"(\.(.+?)\.([1-9]\d{{0,6}}))(?:{'|'.join(map(re.escape, ENDINGS))})")
AT_WORKING_FOLDER, EXCHANGE = -100, 2  # of the system call renameat2 of Linux


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` for a file or folder; rename it to `path` only when the block succeeds.

    A part of what is being replaced is written in place, because the whole is renamed.
    """
    temporary = path if _is_part(path) else path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with nullcontext() if temporary == path else _replacing(path, temporary):
            yield temporary
    except OSError as error:
        raise _unwritable(path, temporary, error) or error from None


def recover(folder: Path) -> None:
    """Finish below `folder` what killed processes began to replace: return the earlier content, remove the rest."""
    for other in sorted(folder.rglob(".*")):
        if match := TEMPORARY.fullmatch(other.name):
            _remove_stale(other.with_name(match[2]))


def _is_part(path: Path) -> bool:
    return any(path.is_relative_to(temporary) for temporary in list(unfinished.values()))


@contextmanager
def _replacing(path: Path, temporary: Path) -> Iterator[None]:
    _remove_stale(path)
    unfinished[path] = temporary
    try:
        yield
        runner.check()
        _rename(temporary, path)
    finally:
        _tidy(path, temporary)
        unfinished.pop(path, None)


def _rename(temporary: Path, path: Path) -> None:
    """Give it its name; a file replaces a file at once, and all else where the system can exchange two paths."""
    if path.is_dir() or (path.is_file() and temporary.is_dir()):
        if _exchanged(temporary, path):
            return
        path.replace(_aside(temporary))
    temporary.replace(path)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two paths in one call of the system; False where it cannot, such as on macOS or NFS."""
    import ctypes

    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and rename(AT_WORKING_FOLDER, bytes(one), AT_WORKING_FOLDER, bytes(other), EXCHANGE) == 0


def _unwritable(path: Path, temporary: Path, error: OSError) -> InputError | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(path, "room to write", "no space left on device", "free some")
    ours = Path(str(error.filename)) in (path, temporary, *path.parents)
    if ours and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InputError(path, "a writable place", str(error.strerror).lower(), "change its permissions")
    return None


def discard() -> None:
    """Undo every unfinished `replacing`, before the process ends."""
    for path, temporary in list(unfinished.items()):
        with suppress(OSError):  # another thread may still write into it
            _tidy(path, temporary)


def _remove_stale(path: Path) -> None:
    """Undo what killed processes began when they replaced `path`."""
    for other in list(path.parent.iterdir()):
        match = TEMPORARY.fullmatch(other.name)
        if match and match[2] == path.name and _is_stale(path.with_name(match[1]), int(match[3])):
            _tidy(path, path.with_name(match[1]))


def _is_stale(temporary: Path, process: int) -> bool:
    """Whether nobody writes it: neither another process that lives, nor this one; in a container all have number 1."""
    if process == os.getpid():
        return temporary not in list(unfinished.values())
    return not _lives(process)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _tidy(path: Path, temporary: Path) -> None:
    aside = _aside(temporary)
    if aside.exists() and not path.exists():
        aside.replace(path)
    remove(*(temporary.with_name(f"{temporary.name}{ending}") for ending in ENDINGS))


def _aside(temporary: Path) -> Path:
    """Where the earlier content is, while two renames replace it."""
    return temporary.with_name(f"{temporary.name}.old")


def remove(*paths: Path) -> None:
    """Remove files and folders that exist."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def read_text(path: Path) -> str:
    """Read UTF-8 text; InputError when the file is missing or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(path, "a file", "nothing", "check the path") from None
    except IsADirectoryError:
        raise InputError(path, "a file", "a folder", "check the path") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}", "UTF-8 text", "another encoding", "save the file as UTF-8") from None


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON document; InputError names the line that is not JSON."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}", "JSON", error.msg, "run the step that writes it again") from None


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document, deterministically: keys in their order, ValueError for NaN."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_parameter(path: Path, value: bool | int | float | str) -> None:
    """Write an output parameter in Kubeflow's format: `true` for True, no newline."""
    write_text(path, str(value).lower() if isinstance(value, bool) else str(value))


def read_yaml(path: Path) -> Any:
    """Read YAML 1.2 (`1e-3` is a number, `no` is text); InputError names the line that is not YAML."""
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, name: object) -> Any:
    """Parse YAML 1.2; errors begin with `name`."""
    from tidegate.documents.yaml import parse

    return parse(text, name)


def tables_in(folder: Path) -> dict[str, Path]:
    """The Parquet files of a dataset (a folder) by table name."""
    return {path.stem: path for path in sorted(folder.glob("*.parquet"))}


def read_table(folder: Path, name: str) -> Any:
    """Read the table `name` of a dataset into a pandas DataFrame."""
    import pandas as pd

    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise InputError(path, f"the table {name}", "nothing", "run the step that writes it again")
    return pd.read_parquet(path)


def write_tables(folder: Path, frames: Mapping[str, Any]) -> None:
    """Write a dataset: one Parquet file per pandas DataFrame, the folder replaced as a whole."""
    with replacing(folder) as temporary:
        temporary.mkdir()
        for name, frame in frames.items():
            frame.to_parquet(temporary / f"{name}.parquet", index=False)
