"""Where the data is: the DVC remote by its address, and whether it holds the version of data.dvc."""

import json
import subprocess
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from components.errors import InputError
from components.formats import parse_yaml, read_text
from components.remote.section import split
from pipelines.workspace import data_dvc

PUSH = "run `dvc push data.dvc`"
MAKE = "run `tidegate doctor --make-bucket`"


def remote(given: str | None, timeout: float) -> tuple[str, str | None]:
    """The remote as a run carries it, and its name in DVC's configuration if it has one.

    `given` is a name, an address, or None for the default remote.
    """
    config = _config(timeout)
    name = given or config.get("core.remote", "")
    known = config.get(f"remote.{name}.url")
    url = known or (given if given and "/" in given else None)
    if not url:
        expected = "a remote of this name, or an address" if given else "a default remote"
        raise InputError("DVC remote", expected, given or "none", "see `dvc remote add --default`")
    if urlsplit(url).password:
        expected = "an address without a password, for it is kept with the run"
        raise InputError("DVC remote", expected, "one with a password", "put it into a secret of the cluster")
    section = _section(config, name)
    # What else the remote is (its endpoint, its region) a run has to know too; what is secret stays here.
    return split(section)[0] if known and len(section) > 1 else url, name if known else None


def check(remote_name: str, timeout: float) -> None:
    """InputError when the remote lacks a file of the version of data.dvc; DVC itself is asked."""
    path = _tracked()
    arguments = ("data", "status", "--not-in-remote", "--granular", "--json", "--remote", remote_name, path)
    answer = json.loads(_dvc(*arguments, timeout=timeout) or "{}")
    lacking = [name for name in answer.get("not_in_remote", []) if name.rstrip("/").split("/")[0] == path]
    if lacking:
        from pipelines.client import buckets

        section = _section(_config(timeout), remote_name)
        if buckets.is_missing(section):
            found = f"no bucket {buckets.name(section)}"
            raise InputError(data_dvc, f"its data on the DVC remote {remote_name}", found, f"{MAKE}, then {PUSH}")
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise InputError(data_dvc, f"its data on the DVC remote {remote_name}", f"no {lacking[0]}{more}", PUSH)


def make_bucket(given: str | None, timeout: float) -> str:
    """Make the bucket of a remote (by name; None for the default one) if it is not there; what was done in a line."""
    from pipelines.client import buckets

    config = _config(timeout)
    name = given or config.get("core.remote", "")
    return buckets.make(_section(config, name) or {"url": name})


def _config(timeout: float) -> dict[str, str]:
    lines = _dvc("config", "--list", timeout=timeout).splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def _section(config: Mapping[str, str], name: str) -> dict[str, str]:
    prefix = f"remote.{name}."
    return {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}


def _tracked() -> str:
    document = parse_yaml(read_text(data_dvc), data_dvc)
    outs = document.get("outs") if isinstance(document, dict) else None
    if not isinstance(outs, list) or len(outs) != 1 or "path" not in outs[0]:
        raise InputError(data_dvc, "one output", "another document", "run `dvc add data`")
    return str(outs[0]["path"])


def _dvc(*arguments: str, timeout: float) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        cure = "correct its address, or mend the network"
        raise InputError("DVC remote", "an answer", f"none in {timeout:g} s", cure) from None
    if found.returncode:
        errors = [line for line in found.stderr.splitlines() if line.startswith("ERROR: ")]
        message = errors[0].removeprefix("ERROR: ") if errors else f"exit code {found.returncode}"
        raise InputError("DVC remote", "an answer", message, "see `dvc remote list` and `dvc doctor`")
    return found.stdout
