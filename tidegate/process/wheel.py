"""Builds a wheel from this installation of Tidegate; the same bytes however it was installed."""

import base64
import hashlib
import importlib.metadata
import io
import zipfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tidegate.process.code import ROOT

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of the zip format
LEFT_OUT = ("__pycache__", "Dockerfile", "secrets.env", "secrets.json")
FORMAT = "Wheel-Version: 1.0\nGenerator: tidegate\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Wheel(NamedTuple):
    """The file name, which contains the version, and the content."""

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()


def version() -> str:
    """The installed version of Tidegate."""
    return _distribution().version


@cache
def packed() -> Wheel:
    """The wheel, about two megabytes; not compressed, because compressors differ between machines."""
    distribution = _distribution()
    about = f"tidegate-{distribution.version}.dist-info"
    files = {path.relative_to(ROOT.parent).as_posix(): path.read_bytes() for path in _files(ROOT)}
    for name in ("METADATA", "entry_points.txt"):
        files[f"{about}/{name}"] = (distribution.read_text(name) or "").encode()
    files[f"{about}/WHEEL"] = FORMAT.encode()
    files[f"{about}/RECORD"] = _record(files, f"{about}/RECORD").encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
    return Wheel(f"tidegate-{distribution.version}-py3-none-any.whl", stream.getvalue())


def _distribution() -> importlib.metadata.Distribution:
    """The installed distribution, not a build directory in the working directory."""
    installed = importlib.metadata.distributions(name="tidegate")
    return next(distribution for distribution in installed if distribution.read_text("METADATA"))


def _files(folder: Path) -> list[Path]:
    """Every file, also behind links to folders, sorted by name."""
    paths: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name not in LEFT_OUT:
            paths += _files(path) if path.is_dir() else [path]
    return paths


def _record(files: dict[str, bytes], name: str) -> str:
    """The RECORD file: the files with their digests, which `pip` checks."""
    lines = []
    for file, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{file},sha256={digest},{len(content)}")
    return "\n".join([*lines, f"{name},,"]) + "\n"
