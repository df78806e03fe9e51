"""Readers and writers of the file formats that steps exchange; writes are atomic."""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tidegate.process import runner
from tidegate.process.errors import InputError

# The paths that are being replaced: the temporary path, and the path to which the present content is moved.
unfinished: dict[Path, tuple[Path, Path]] = {}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` for a file or folder; rename it to `path` only when the block succeeds."""
    temporary, aside = (path.with_name(f".{path.name}.{os.getpid()}{end}") for end in ("", ".old"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for stale in _stale(path):
            _tidy(path, stale, stale.with_name(f"{stale.name}.old"))
        unfinished[path] = (temporary, aside)
        try:
            yield temporary
            runner.check()
            if path.is_dir() or (path.is_file() and temporary.is_dir()):  # only replacing a file by a file is atomic
                path.replace(aside)
            temporary.replace(path)
        finally:
            _tidy(path, temporary, aside)
            unfinished.pop(path, None)
    except OSError as error:
        raise _unwritable(path, temporary, error) or error from None


def _unwritable(path: Path, temporary: Path, error: OSError) -> InputError | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(path, "room to write", "no space left on device", "free some")
    ours = Path(str(error.filename)) in (path, temporary, *path.parents)
    if ours and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InputError(path, "a writable place", str(error.strerror).lower(), "change its permissions")
    return None


def discard() -> None:
    """Undo every unfinished `replacing`, before the process ends."""
    for path, (temporary, aside) in list(unfinished.items()):
        with suppress(OSError):  # another thread may still write into it
            _tidy(path, temporary, aside)


def _stale(path: Path) -> set[Path]:
    """The temporary paths that killed processes left while replacing `path`."""
    pattern = re.compile(rf"(\.{re.escape(path.name)}\.([1-9]\d{{0,6}}))(?:\.old)?")
    found = [match for other in path.parent.iterdir() if (match := pattern.fullmatch(other.name))]
    return {path.with_name(match[1]) for match in found if int(match[2]) == os.getpid() or not _lives(int(match[2]))}


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _tidy(path: Path, temporary: Path, aside: Path) -> None:
    if aside.exists() and not path.exists():
        aside.replace(path)
    remove(temporary, aside)


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
