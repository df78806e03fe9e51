"""Downloads the files of a source: a URL, an S3 prefix or a path."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tidegate.contract.source import ENDINGS, Source
from tidegate.process import limits
from tidegate.process.deadline import within
from tidegate.process.errors import InputError
from tidegate.process.redaction import redacted, secret
from tidegate.process.transport import check_encrypted
from tidegate.versions.availability import translated_errors
from tidegate.versions.section import ENDPOINT_VARIABLES

CURE = "check `source` in contract.yaml and the credentials"


def download(source: Source, folder: Path) -> dict[Path, str]:
    """Copy the files of `source` into `folder`, sorted by name; returns the original name of each copy.

    InputError if there are none, or if the server does not answer in time.
    """
    import fsspec

    place = str(source.s3 or source.files)
    address = redacted(place)
    with translated_errors(address, "files", CURE):
        if source.s3:
            fsspec.register_implementation("s3", "tidegate.versions.s3.System", clobber=True)
        system, path = fsspec.core.url_to_fs(place, **_options(source))
        names = within(limits.STORE_ANSWER_SECONDS, lambda: _names(system, path, every=bool(source.s3)))
    if not names:
        raise InputError(address, f"files that end in {', '.join(ENDINGS)}", "none", CURE)
    copies = {}
    for number, name in enumerate(names):
        target = folder / f"{number:06d}{ending(name)}"
        with translated_errors(redacted(name), "a file", CURE):
            system.get_file(name, str(target))
        copies[target] = redacted(name)
    return copies


def ending(name: str) -> str:
    """The one of ENDINGS with which a file name or URL ends; empty if there is none."""
    path = urlsplit(name).path
    return next((item for item in sorted(ENDINGS, key=len, reverse=True) if path.endswith(item)), "")


def _names(system: Any, path: str, every: bool) -> list[str]:
    """The files with a known ending: all below `path` if `every`, else those that match it."""
    names = system.find(path) if every else system.glob(path) if "*" in path else [path]
    return sorted(name for name in names if ending(name))


def _options(source: Source) -> dict[str, Any]:
    """The options of fsspec for a source."""
    if source.s3:
        if not source.endpoint and not source.insecure:
            for name in ENDPOINT_VARIABLES:
                check_encrypted(name, os.environ.get(name, ""), "write `insecure: true` in `source`")
        client = {"endpoint_url": source.endpoint, "region_name": source.region}
        settings = {name: value for name, value in client.items() if value}
        from tidegate.versions.s3 import RETRIES

        waits = {
            "connect_timeout": limits.STORE_CONNECT_SECONDS,
            "read_timeout": limits.STORE_READ_SECONDS,
            "retries": RETRIES,
        }
        return {
            "client_kwargs": settings,
            "config_kwargs": waits,
            "profile": source.profile,
            "use_listings_cache": False,
        }
    if not str(source.files).startswith(("http://", "https://")):
        return {}
    from aiohttp import ClientTimeout

    patience = ClientTimeout(total=None, sock_connect=limits.WEB_CONNECT_SECONDS, sock_read=limits.WEB_READ_SECONDS)
    return {"client_kwargs": {"timeout": patience, "trust_env": True, "headers": dict(_headers(source))}}


def _headers(source: Source) -> Iterator[tuple[str, str]]:
    if not source.token:
        return
    token = secret(source.token)
    if not token:
        raise InputError(f"environment variable {source.token}", f"the token of {source.files}", "nothing", "set it")
    yield "Authorization", f"Bearer {token}"
