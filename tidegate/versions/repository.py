"""A throw-away DVC repository without git, with one remote, from which it fetches and to which it pushes."""

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
from tidegate.process.redaction import redacted
from tidegate.versions.availability import translated_errors
from tidegate.versions.section import VARIABLE, settings

FILE = "data.dvc"
CURE = "check its settings and credentials"


@contextmanager
def opened(folder: Path, remote: str) -> Iterator[Any]:
    """A repository in `folder` with the remote that the text names; InputError unless that answers in time.

    The environment adds secrets (see `section`), and with TIDEGATE_CACHE a DVC cache to use instead of its own.
    """
    from dvc.fs import known_implementations
    from dvc.repo import Repo

    known_implementations["s3"]["class"] = "tidegate.versions.s3.S3FileSystem"
    known_implementations["ssh"]["class"] = "tidegate.versions.ssh.SSHFileSystem"
    section = settings(remote, os.environ.get(VARIABLE, ""))
    (folder / ".dvc").mkdir(parents=True)
    _give_a_name()
    with translated_errors(f"the DVC remote {redacted(section['url'])}", "an answer", CURE):
        repository = Repo(str(folder), config=configuration(folder, section))
        within(limits.STORE_ANSWER_SECONDS, lambda: _look(repository))
    with repository:
        yield repository


def tracked_path(data_dvc: str) -> str:
    """The one path that data.dvc tracks; InputError when its text is none of data.dvc."""
    document = parse_yaml(data_dvc, FILE)
    outs = document.get("outs") if isinstance(document, dict) else None
    out = outs[0] if isinstance(outs, list) and len(outs) == 1 else None
    if not isinstance(out, dict) or not {"md5", "path"} <= set(out) or Path(str(out["path"])).name != out["path"]:
        raise InputError(FILE, "one output with md5 and path", "another document", "pass the text of data.dvc")
    return str(out["path"])


def fetch(repository: Any, data_dvc: str) -> Path:
    """Download that version and verify it; InputError when the remote does not hold the whole of it."""
    from dvc.exceptions import DvcException

    path = tracked_path(data_dvc)
    Path(repository.root_dir, FILE).write_text(data_dvc, encoding="utf-8")
    with translated_errors(FILE, "its data on the DVC remote", "run `dvc push` where it is"):
        repository.pull()
        if repository.status():  # DVC verifies files, and believes the list of them
            raise DvcException("other data than the version it names")
    return Path(repository.root_dir, path)


def save(repository: Any, path: Path) -> str:
    """Make what lies at `path` a version, push it and read back what is new there; returns the text of data.dvc."""
    with translated_errors("the DVC remote", "to take the new version", CURE):
        (stage,) = repository.add(str(path))
        listed, files = stage.outs[0].hash_info.value, [entry.value for _, _, entry in stage.outs[0].get_obj()]
        _push(repository, files)
        _push(repository, [listed])  # whoever finds the list finds the files
    return path.with_name(f"{path.name}.dvc").read_text(encoding="utf-8")


def _push(repository: Any, names: list[str]) -> None:
    local, remote = repository.cache.local, repository.cloud.get_remote_odb()
    new = sorted(set(names) - set(remote.oids_exist(names)))
    if new:
        remote.add([local.oid_to_path(name) for name in new], local.fs, new, check_exists=False)
    for name in new:
        remote.check(name)


def configuration(folder: Path, section: dict[str, str]) -> dict[str, Any]:
    """The DVC configuration of a repository in `folder` with that remote; it is never written to a file."""
    cache = os.environ.get("TIDEGATE_CACHE")
    return {
        "core": {
            "no_scm": True,
            "analytics": False,
            "check_update": False,
            "remote": "tidegate",
            "site_cache_dir": str(folder / ".dvc" / "site"),
        },
        # Links keep one copy on the disk instead of two; nothing here writes into a file that it did not make.
        "cache": {"type": "reflink,hardlink,copy", **({"dir": cache} if cache else {})},
        "remote": {"tidegate": section},
    }


def _look(repository: Any) -> None:
    remote = repository.cloud.get_remote()
    with suppress(FileNotFoundError):  # it answers, and holds nothing yet
        remote.fs.ls(remote.path, detail=False)


def _give_a_name() -> None:
    """DVC asks who runs it; a container may run as a number that has no name."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["LOGNAME"] = "tidegate"
