"""Files at a URL, below an S3 prefix or at a path, copied to where they can be read."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tidegate.contract.source import ENDINGS, Source
from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError
from tidegate.process.redaction import redacted
from tidegate.versions.availability import translated_errors

CURE = "check `source` in contract.yaml and the credentials"


def download(source: Source, folder: Path) -> dict[Path, str]:
    """Copy the files of `source` into `folder`, in the order of their names; returns each with the name it had.

    InputError when there are none, or the place does not answer in time.
    """
    import fsspec

    place = str(source.s3 or source.files)
    shown = redacted(place)
    with translated_errors(shown, "files", CURE):
        system, path = fsspec.core.url_to_fs(place, **_options(source))
        names = within(limits.STORE_ANSWER_SECONDS, lambda: _names(system, path, every=bool(source.s3)))
    if not names:
        raise InputError(shown, f"files that end in {', '.join(ENDINGS)}", "none", CURE)
    found = {}
    for number, name in enumerate(names):
        target = folder / f"{number:06d}{ending(name)}"
        with translated_errors(redacted(name), "a file", CURE):
            system.get_file(name, str(target))
        found[target] = redacted(name)
    return found


def ending(name: str) -> str:
    """The ending of a file's name or URL by which it is read; empty when it is none of `endings`."""
    path = urlsplit(name).path
    return next((known for known in sorted(ENDINGS, key=len, reverse=True) if path.endswith(known)), "")


def _names(system: Any, path: str, every: bool) -> list[str]:
    """The files that can be read, among those below `path` or those that it stands for."""
    found = system.find(path) if every else system.glob(path) if "*" in path else [path]
    return sorted(name for name in found if ending(name))


def _options(source: Source) -> dict[str, Any]:
    """What the library for such a place has to know."""
    if source.s3:
        client = {"endpoint_url": source.endpoint, "region_name": source.region}
        given = {name: value for name, value in client.items() if value}
        waits = {"connect_timeout": limits.STORE_CONNECT_SECONDS, "read_timeout": limits.STORE_READ_SECONDS}
        return {"client_kwargs": given, "config_kwargs": waits, "profile": source.profile, "use_listings_cache": False}
    if not str(source.files).startswith(("http://", "https://")):
        return {}
    from aiohttp import ClientTimeout

    patience = ClientTimeout(
        total=None, sock_connect=limits.WEB_CONNECT_SECONDS, sock_read=limits.WEB_READ_SECONDS
    )
    return {"client_kwargs": {"timeout": patience, "trust_env": True, "headers": dict(_headers(source))}}


def _headers(source: Source) -> Iterator[tuple[str, str]]:
    if not source.token:
        return
    token = os.environ.get(source.token)
    if not token:
        raise InputError(f"environment variable {source.token}", f"the token of {source.files}", "nothing", "set it")
    yield "Authorization", f"Bearer {token}"
