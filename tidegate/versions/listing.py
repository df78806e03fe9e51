"""The list of data versions on a DVC remote, oldest first; DVC itself stores neither order nor names.

Each version is an object `tidegate/versions/<UTC time>-<md5>.dvc` with the text of data.dvc. Objects are only added,
each after all the files that it refers to: every listed version is complete, even after a crash.
"""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tidegate.documents.data_version import tracked
from tidegate.process.errors import InputError
from tidegate.versions.availability import translated_errors
from tidegate.versions.repository import CURE

FOLDER = ("tidegate", "versions")
TIME_FORMAT = "%Y%m%dT%H%M%S.%fZ"
NAME_PATTERN = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]{32})\.dvc")


class Version(NamedTuple):
    """A listed version: the time at which it was added (UTC), and its MD5."""

    added: datetime
    md5: str

    @property
    def name(self) -> str:
        """The name of its object on the remote."""
        return f"{self.added.strftime(TIME_FORMAT)}-{self.md5}.dvc"


def md5_of(data_dvc: str) -> str:
    """The MD5 in the text of data.dvc, without DVC's suffix `.dir`."""
    return tracked(data_dvc).md5.removesuffix(".dir")


def start(data_dvc: str, versions: Sequence[Version]) -> Version | None:
    """The version to start from: the newest one, or None to start from `data_dvc`.

    A version there that is not listed was made by a person; a correction by hand takes precedence over the list.
    """
    if data_dvc and md5_of(data_dvc) not in {version.md5 for version in versions}:
        return None
    return versions[-1] if versions else None


def following(data_dvc: str, versions: Sequence[Version], now: datetime) -> Version:
    """The version with a time after all others, even if the clock of another machine was ahead."""
    latest = versions[-1].added + timedelta(microseconds=1) if versions else now
    return Version(max(now, latest), md5_of(data_dvc))


def listed(repository: Any) -> list[Version]:
    """The versions of the remote, oldest first."""
    with translated_errors("the DVC remote", "its list of versions", CURE):
        remote = repository.cloud.get_remote()
        try:
            paths = remote.fs.ls(remote.fs.join(remote.path, *FOLDER), detail=False)
        except FileNotFoundError:
            return []
    matches = [NAME_PATTERN.fullmatch(remote.fs.name(path)) for path in paths]
    return sorted(Version(datetime.strptime(m[1], TIME_FORMAT).replace(tzinfo=UTC), m[2]) for m in matches if m)


def text(repository: Any, version: Version) -> str:
    """The text of data.dvc of a listed version."""
    with translated_errors(version.name, "a text on the DVC remote", CURE):
        remote = repository.cloud.get_remote()
        with remote.fs.open(remote.fs.join(remote.path, *FOLDER, version.name), "rb") as stream:
            data_dvc: str = stream.read().decode()
    if md5_of(data_dvc) != version.md5:
        raise InputError(version.name, f"the text of version {version.md5}", "another one", "remove it")
    return data_dvc


def add(repository: Any, data_dvc: str, versions: Sequence[Version]) -> list[Version]:
    """Add a version to the list as the newest one; the remote must already hold all of its files."""
    version = following(data_dvc, versions, datetime.now(UTC))
    with translated_errors(version.name, "to be written to the DVC remote", CURE), TemporaryDirectory() as scratch:
        remote = repository.cloud.get_remote()
        file = Path(scratch, version.name)
        file.write_text(data_dvc, encoding="utf-8")
        place = remote.fs.join(remote.path, *FOLDER)
        remote.fs.makedirs(place, exist_ok=True)
        remote.fs.put_file(os.fspath(file), remote.fs.join(place, version.name))
    return [*versions, version]
