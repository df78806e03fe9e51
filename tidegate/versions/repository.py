"""A temporary DVC repository without git, which fetches from and pushes to one remote."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tidegate.documents.formats import parse_yaml
from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError
from tidegate.process.redaction import redacted, secret
from tidegate.versions.availability import translated_errors
from tidegate.versions.section import VARIABLE, settings

FILE = "data.dvc"
CURE = "check its settings and credentials"


@contextmanager
def opened(folder: Path, remote: str) -> Iterator[Any]:
    """A repository in `folder` with the remote of the text `remote`; InputError unless the remote answers in time.

    Secrets come from the environment (see `section`); TIDEGATE_CACHE names a DVC cache to use instead of a new one.
    """
    from dvc.fs import known_implementations
    from dvc.repo import Repo

    known_implementations["s3"]["class"] = "tidegate.versions.s3.S3FileSystem"
    known_implementations["ssh"]["class"] = "tidegate.versions.ssh.SSHFileSystem"
    section = settings(remote, secret(VARIABLE) or "")
    (folder / ".dvc").mkdir(parents=True)
    _give_a_name()
    with translated_errors(f"the DVC remote {redacted(section['url'])}", "an answer", CURE):
        repository = Repo(str(folder), config=configuration(folder, section))
        within(limits.STORE_ANSWER_SECONDS, lambda: _look(repository))
    with repository:
        yield repository


def tracked_path(data_dvc: str) -> str:
    """The path that data.dvc tracks; InputError if the text is not a valid data.dvc."""
    document = parse_yaml(data_dvc, FILE)
    outs = document.get("outs") if isinstance(document, dict) else None
    out = outs[0] if isinstance(outs, list) and len(outs) == 1 else None
    if not isinstance(out, dict) or not {"md5", "path"} <= set(out) or Path(str(out["path"])).name != out["path"]:
        raise InputError(FILE, "one output with md5 and path", "another document", "pass the text of data.dvc")
    return str(out["path"])


def fetch(repository: Any, data_dvc: str) -> Path:
    """Download that version and verify it; InputError if the remote lacks a part of it. Returns its path."""
    from dvc.exceptions import DvcException

    path = tracked_path(data_dvc)
    Path(repository.root_dir, FILE).write_text(data_dvc, encoding="utf-8")
    with translated_errors(FILE, "its data on the DVC remote", "run `dvc push` where it is"):
        repository.pull()
        if repository.status():  # DVC verifies each file on download, but not the list of files
            raise DvcException("data that differs from the version")
    return Path(repository.root_dir, path)


def save(repository: Any, path: Path) -> str:
    """Add `path` as a version, push it and verify what was pushed; returns the text of data.dvc."""
    with translated_errors("the DVC remote", "to take the new version", CURE):
        (stage,) = repository.add(str(path))
        listed, files = stage.outs[0].hash_info.value, [entry.value for _, _, entry in stage.outs[0].get_obj()]
        _push(repository, files)
        _push(repository, [listed])  # last, so that the list never refers to missing files
    return path.with_name(f"{path.name}.dvc").read_text(encoding="utf-8")


def _push(repository: Any, names: list[str]) -> None:
    local, remote = repository.cache.local, repository.cloud.get_remote_odb()
    new = sorted(set(names) - set(remote.oids_exist(names)))
    if new:
        remote.add([local.oid_to_path(name) for name in new], local.fs, new, check_exists=False)
    for name in new:
        remote.check(name)


def configuration(folder: Path, section: dict[str, str]) -> dict[str, Any]:
    """The DVC configuration of a repository in `folder` with that remote, kept in memory because it holds secrets."""
    cache = os.environ.get("TIDEGATE_CACHE")
    return {
        "core": {
            "no_scm": True,
            "analytics": False,
            "check_update": False,
            "remote": "tidegate",
            "site_cache_dir": str(folder / ".dvc" / "site"),
        },
        # Links avoid a second copy on disk; they are safe, because no step modifies an input file.
        "cache": {"type": "reflink,hardlink,copy", **({"dir": cache} if cache else {})},
        "remote": {"tidegate": section},
    }


def _look(repository: Any) -> None:
    remote = repository.cloud.get_remote()
    with suppress(FileNotFoundError):  # the remote answers but is empty
        remote.fs.ls(remote.path, detail=False)


def _give_a_name() -> None:
    """DVC needs a user name, which a container with an arbitrary user id does not have."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["LOGNAME"] = "tidegate"
