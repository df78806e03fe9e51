"""A temporary DVC repository without git, which fetches from and pushes to one remote."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tidegate.documents.data_version import FILE, tracked, version_of
from tidegate.documents.formats import read_text, remove
from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.redaction import redacted, secret
from tidegate.versions.availability import translated_errors
from tidegate.versions.section import VARIABLE, settings

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


def fetch(repository: Any, data_dvc: str) -> Path:
    """Download that version and verify it; InputError if the remote lacks a part of it. Returns its path."""
    tracked(data_dvc)
    Path(repository.root_dir, FILE).write_text(data_dvc, encoding="utf-8")
    return _pull(repository, Path(repository.root_dir), data_dvc)


def pull(folder: Path) -> None:
    """Get the data of data.dvc into a DVC project from its remote; InputError unless every byte is as its MD5 says."""
    from dvc.repo import Repo

    data_dvc = read_text(folder / FILE)
    with Repo(str(folder)) as own:
        remotes = own.config["remote"]
    with Repo(str(folder), config={"remote": {name: {"verify": True} for name in remotes}}) as repository:
        _pull(repository, folder, data_dvc)


def _pull(repository: Any, folder: Path, data_dvc: str) -> Path:
    from dvc.exceptions import CheckoutError, DvcException

    name, md5 = tracked(data_dvc)
    path = folder / name
    cure = "run `dvc push` where it is; an altered object has to be removed from the remote first"
    with translated_errors(FILE, "its data on the DVC remote", cure):
        try:
            repository.pull([str(folder.absolute() / FILE)])
        except CheckoutError:
            raise DvcException("files that are missing or altered") from None
        # DVC verifies a file on download only: not the list of files, and nothing that its cache holds already.
        if version_of(path) != md5:
            remove(path)
            repository.cache.local.delete(md5)
            raise DvcException("files that are altered")
    return path


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
