"""Reads and writes artifacts of runs and models: through the tracking server, each transfer with a deadline."""

from __future__ import annotations

import posixpath
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.tracking import failures
from tidegate.tracking.embedded import Embedded

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository

    from tidegate.tracking.reader import Reader

Content = Path | bytes | str
AWAY = frozenset([408, 429, 502, 503, 504])  # temporary: retry
PLAIN = re.compile(r"(?!.*\.\.)\w[\w./-]*", re.ASCII)  # a path that MLflow takes as it is
# How servers and the stores behind them report a missing file.
MISSING = re.compile(r"\(404\)|NoSuchKey|No such (artifact|file)")


def read(client: Reader, place: str, path: str, seconds: float = limits.TRANSFER_SECONDS) -> bytes | None:
    """The file `path` below the artifact URI `place`, None where there is none; TimeoutError after so many seconds."""
    if file := _plain(place, path):
        return within(seconds, partial(_read_file, file))
    if isinstance(client, Embedded):
        client = client.connect()
    return within(seconds, partial(_read, _repository(place, client.tracking_uri), path))


def write(client: MlflowClient, place: str, contents: Mapping[str, Content], folder: str | None = None) -> None:
    """Write files by their names below `folder` of the artifact URI `place`, in their order."""
    repository = _repository(place, client.tracking_uri)
    for name, content in contents.items():
        data = bytes_of(content)
        path = posixpath.join(folder or "", name)
        seconds = limits.TRANSFER_SECONDS + len(data) / limits.TRANSFER_BYTES_PER_SECOND
        within(seconds, partial(_write, repository, path, data))


def listed(client: MlflowClient, place: str) -> dict[str, int]:
    """The sizes of all files below the artifact URI `place`, by their paths."""
    repository, sizes, folders = _repository(place, client.tracking_uri), dict[str, int](), [None]
    while folders:
        for each in repository.list_artifacts(folders.pop()):
            if each.is_dir:
                folders.append(each.path)
            else:
                sizes[each.path] = each.file_size or 0
    return sizes


def delete(client: MlflowClient, place: str, path: str | None = None) -> None:
    """Delete a file below the artifact URI `place`, or all of them; what is not there is no error."""
    repository = _repository(place, client.tracking_uri)
    with suppress(FileNotFoundError):
        within(limits.MOST_TRANSFER_SECONDS, partial(repository.delete_artifacts, path))


def bytes_of(content: Content) -> bytes:
    """The content as bytes."""
    if isinstance(content, Path):
        return content.read_bytes()
    return content.encode() if isinstance(content, str) else content


def _plain(place: str, path: str) -> Path | None:
    """The file where it lies below a folder of this machine; None where MLflow has to look for it, or to refuse it."""
    if not place.startswith("/") or "%" in place or not PLAIN.fullmatch(path):
        return None
    file = Path(place, path)
    return file if file.resolve().is_relative_to(Path(place).resolve()) else None


def _read_file(file: Path) -> bytes | None:
    with suppress(FileNotFoundError, NotADirectoryError):
        return file.read_bytes()
    return None


def _read(repository: Any, path: str) -> bytes | None:
    from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository

    if isinstance(repository, HttpArtifactRepository):
        return _body(repository, path, "GET", AWAY)
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "file")
        try:
            # MLflow's own `download_artifacts` lists the folder first, which is one more request per file.
            repository._download_file(path, str(target))
        except failures.of_a_store() as error:
            if MISSING.search(str(error)):
                return None
            raise
        return target.read_bytes()


def _write(repository: Any, path: str, data: bytes) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository

    if isinstance(repository, HttpArtifactRepository):
        if _body(repository, path, "PUT", AWAY | {500}, data=data) is None:
            raise MlflowException(f"the server has no place for {path}")
        return
    parent, _, plain = path.rpartition("/")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, plain)
        file.write_bytes(data)
        repository.log_artifact(str(file), parent or None)


def _body(
    repository: HttpArtifactRepository, path: str, method: str, again: frozenset[int], **more: Any
) -> bytes | None:
    """The body of the server's response; None for a missing file.

    MLflow's own repository would follow presigned URLs to the store behind the server, and would retry seven times
    for a missing file, which some stores report as 500.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    host = get_default_host_creds(repository.artifact_uri)  # type: ignore[no-untyped-call]
    options = {"retry_codes": again, "raise_on_status": False, "timeout": limits.TRANSFER_SECONDS}
    answer = http_request(host, posixpath.join("/", path), method, **options, **more)  # type: ignore[no-untyped-call]
    if answer.ok:
        return bytes(answer.content)
    if answer.status_code == 404 or MISSING.search(answer.text):
        return None
    raise MlflowException(f"API request failed with error code {answer.status_code}: {answer.text[:300]}")


@lru_cache(maxsize=64)
def _repository(place: str, tracking_uri: str) -> Any:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return get_artifact_repository(place, tracking_uri=tracking_uri, registry_uri=tracking_uri)
