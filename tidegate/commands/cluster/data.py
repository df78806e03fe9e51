"""Where the data is: the DVC remote by its address, and whether it holds the version of data.dvc."""

import json

from tidegate.commands.loop.remote import DEFAULT, ask, configuration, section
from tidegate.commands.loop.workspace import DATA_DVC
from tidegate.documents.formats import parse_yaml, read_text
from tidegate.process.errors import InputError
from tidegate.process.redaction import holds_secret
from tidegate.versions.section import split

PUSH = "run `dvc push data.dvc`"
MAKE = "run `tidegate doctor --make-bucket`"


def remote(place: str | None, timeout: float) -> tuple[str, str | None]:
    """The remote as a parameter of the run, and its name in DVC's configuration if it has one.

    `place` is a name, an address, or None for the default remote.
    """
    config = configuration(timeout)
    name = place or config.get(DEFAULT, "")
    configured_url = config.get(f"remote.{name}.url")
    url = configured_url or (place if place and "/" in place else None)
    if not url:
        expected = "a remote of this name, or an address" if place else "a default remote"
        raise InputError("DVC remote", expected, place or "none", "see `dvc remote add --default`")
    if holds_secret(url):
        expected = "an address without a password or token, because the run keeps it"
        raise InputError("DVC remote", expected, "one with a secret", "put it into a secret of the cluster")
    settings = section(config, name)
    # A run also needs the remote's endpoint and region; its secrets are not sent.
    return split(settings)[0] if configured_url and len(settings) > 1 else url, name if configured_url else None


def check(remote_name: str, timeout: float) -> None:
    """InputError when the remote lacks a file of the version in data.dvc, according to DVC."""
    path = _tracked()
    arguments = ("data", "status", "--not-in-remote", "--granular", "--json", "--remote", remote_name, path)
    answer = json.loads(ask(*arguments, timeout=timeout) or "{}")
    lacking = [name for name in answer.get("not_in_remote", []) if name.rstrip("/").split("/")[0] == path]
    if lacking:
        from tidegate.commands.cluster import buckets

        settings = section(configuration(timeout), remote_name)
        if buckets.is_missing(settings):
            found = f"no bucket {buckets.name(settings)}"
            raise InputError(DATA_DVC, f"its data on the DVC remote {remote_name}", found, f"{MAKE}, then {PUSH}")
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise InputError(DATA_DVC, f"its data on the DVC remote {remote_name}", f"no {lacking[0]}{more}", PUSH)


def make_bucket(place: str | None, timeout: float) -> str:
    """Create the bucket of a remote (None: the default remote) if it is missing; returns what was done."""
    from tidegate.commands.cluster import buckets

    config = configuration(timeout)
    name = place or config.get(DEFAULT, "")
    return buckets.make(section(config, name) or {"url": name})


def _tracked() -> str:
    document = parse_yaml(read_text(DATA_DVC), DATA_DVC)
    outs = document.get("outs") if isinstance(document, dict) else None
    if not isinstance(outs, list) or len(outs) != 1 or "path" not in outs[0]:
        raise InputError(DATA_DVC, "one output", "another document", "run `dvc add data`")
    return str(outs[0]["path"])
