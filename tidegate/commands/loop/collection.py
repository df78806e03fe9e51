"""`tidegate collect`: the step `collect` for the data of this workspace."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tidegate.commands.loop import remote, workspace
from tidegate.contract.contract import parse_contract
from tidegate.documents.formats import read_text, write_text
from tidegate.process.errors import REFUSED, UNAVAILABLE, InputError
from tidegate.process.interpreter import python


def collect(until: str | None) -> bool:
    """Add what the sources have before `until` (now) to data/ and data.dvc; returns whether these changed.

    Versions are kept on the default DVC remote, or in the DVC cache where there is none.
    """
    text = read_text(workspace.CONTRACT)
    if not any(table.source for table in parse_contract(text).tables.values()):
        raise InputError(workspace.CONTRACT, "a table with a `source`", "none", "see docs/contract.md")
    data_dvc = read_text(workspace.DATA_DVC) if workspace.DATA_DVC.exists() else ""
    default_remote = remote.find()
    if data_dvc and not default_remote:
        workspace.fetch_data()
    if data_dvc and workspace.DATA.exists() and workspace.changed_stages(str(workspace.DATA_DVC)):
        workspace.run_dvc("commit", "--quiet", "--force", str(workspace.DATA_DVC))  # the cache lacks it
    cache = workspace.run_dvc("cache", "dir").stdout.strip()
    flags = {
        "current_data_dvc": data_dvc,
        "contract_yaml": text,
        "remote": default_remote.text if default_remote else cache,
        "fetch": "true",
        "requested_until": until or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}",
        "scheduled": "",
        "created": "",
        "repository": "",
        "commit": "",  # a person commits what a person has looked at
    }
    secrets = default_remote.environment() if default_remote else {}
    return _adopt(data_dvc, _step(flags, {"TIDEGATE_CACHE": cache, **secrets}))


def _step(flags: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Run the step, which tells by itself what it does; returns the version that it hands on."""
    with TemporaryDirectory() as folder:
        version = Path(folder, "data_dvc")
        handed = {"data_dvc": str(version), "until": str(Path(folder, "until"))}
        words = [f"--{name}={value}" for name, value in {**flags, **handed}.items()]
        command = python("tidegate", "step", "collect", *words)
        done = subprocess.run(command, env={**os.environ, **environment}, check=False)
        if done.returncode:
            # A person may try again or correct it: it is the same to the program that called this.
            sys.exit(REFUSED if done.returncode == UNAVAILABLE else done.returncode)
        return read_text(version)


def _adopt(previous: str, text: str) -> bool:
    if text == previous:
        return False
    write_text(workspace.DATA_DVC, text)
    done = workspace.run_dvc("checkout", "--quiet", str(workspace.DATA_DVC))
    if done.returncode:
        if previous:
            write_text(workspace.DATA_DVC, previous)
        else:
            workspace.DATA_DVC.unlink()
        found = " ".join(done.stderr.split())
        raise InputError(workspace.DATA, "the data of data.dvc", found, "run `dvc checkout data`")
    return True
