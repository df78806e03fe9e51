"""Commits data.dvc to a branch of a git repository, without a checkout and without the git program."""

import os
import random
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tidegate.process import limits
from tidegate.process.errors import InputError
from tidegate.process.redaction import address, holds_secret, redacted, secret
from tidegate.process.transport import check_encrypted
from tidegate.versions.availability import translated_errors

TOKEN = "TIDEGATE_GIT_TOKEN"  # noqa: S105, the name of a variable
FILE = b"data.dvc"
ATTEMPTS = 8  # a concurrent push makes an attempt fail


def commit_file(repository: str, branch: str, text: str) -> None:
    """Commit `text` as data.dvc to `branch`, unless its tip has that text already.

    `repository` is a URL or a path; TIDEGATE_GIT_TOKEN is the password, if one is needed.
    """
    # The name of the user may stand in it, beside the password of the environment.
    if not repository or urlsplit(repository).password or holds_secret(address(repository)):
        found = "one with a password" if repository else "nothing"
        expected = f"the URL of a git repository, whose password is {TOKEN}"
        raise InputError("collect.repository", expected, found, "correct it")
    if secret(TOKEN):
        check_encrypted("collect.repository", repository)
    expected, cure = f"to accept data.dvc on branch {branch}", f"check collect.commit and {TOKEN}"
    with translated_errors(redacted(repository), expected, cure):
        for attempt in range(ATTEMPTS):
            refusal = _push(repository, branch, text)
            if not refusal:
                return
            # Jitter, so that concurrent pushes do not collide again.
            time.sleep(random.uniform(0, 2**attempt / 10))  # noqa: S311, it protects nothing
        raise OSError(refusal)


def _push(repository: str, branch: str, text: str) -> str:
    """Push one commit on top of the branch; returns the reason of a refusal, empty on success."""
    from dulwich.file import FileLocked
    from dulwich.objects import Blob
    from dulwich.pack import pack_objects_to_data

    client, path = _client(repository)
    ref = f"refs/heads/{branch}".encode()
    tip, tree = _tip(client, path, ref)
    blob = Blob.from_string(text.encode())
    if FILE in tree and tree[FILE][1] == blob.id:
        return ""
    tree.add(FILE, 0o100644, blob.id)
    commit = _commit(tree.id, tip)
    update: dict[bytes, bytes] = {}

    def updates(refs: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        update.update({ref: commit.id} if refs.get(ref) == tip else {})
        return update

    parts = [(part, None) for part in (blob, tree, commit)]
    try:
        sent = client.send_pack(path.encode(), updates, lambda have, want, **_: pack_objects_to_data(parts))
    except FileLocked:  # of a repository in a local folder
        return "another push has locked the branch"
    # After a successful push a server reports None for the branch, and a local folder has no entry.
    return (sent.ref_status or {}).get(ref) or "" if update else "another push came first"


def _tip(client: Any, path: str, ref: bytes) -> tuple[bytes, Any]:
    """The last commit of a branch and its tree."""
    from dulwich.repo import MemoryRepo

    tips = []

    def wants(refs: Mapping[bytes, bytes], depth: int | None = None) -> list[bytes]:
        tips.extend([refs[ref]] if ref in refs else [])
        return tips

    have: Any = MemoryRepo()
    client.fetch(path, have, determine_wants=wants, depth=1)
    if not tips:
        raise OSError("no such branch")
    return tips[0], have[have[tips[0]].tree]


def _client(repository: str) -> tuple[Any, str]:
    from dulwich.client import get_transport_and_path
    from dulwich.config import ConfigFile, StackedConfig

    patience = ConfigFile()
    patience.set((b"http",), b"timeout", str(limits.BRANCH_SECONDS).encode())
    config = StackedConfig([patience, *StackedConfig.default_backends()])
    password = secret(TOKEN)
    user = "git" if password and "@" not in repository else None
    return get_transport_and_path(repository, config=config, username=user, password=password)


def _commit(tree: bytes, parent: bytes) -> Any:
    from dulwich.objects import Commit

    name = os.environ.get("GIT_AUTHOR_NAME", "Tidegate")
    email = os.environ.get("GIT_AUTHOR_EMAIL", "tidegate@localhost")
    commit: Any = Commit()
    commit.tree, commit.parents = tree, [parent]
    commit.author = commit.committer = f"{name} <{email}>".encode()
    commit.author_time = commit.commit_time = int(time.time())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding, commit.message = b"UTF-8", b"Collect data\n"
    return commit
