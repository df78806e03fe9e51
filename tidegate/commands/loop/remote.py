"""The DVC remote of this workspace, as a run carries it: its settings as a parameter, its secrets by environment."""

import subprocess
from collections.abc import Mapping
from typing import NamedTuple

from tidegate.commands.loop.workspace import run_dvc
from tidegate.process.errors import InputError
from tidegate.versions.section import VARIABLE, split

DEFAULT = "core.remote"


class Remote(NamedTuple):
    """The text of the section of the DVC config without secrets, and the lines of it that are secret."""

    text: str
    secrets: str

    def environment(self) -> dict[str, str]:
        """What a step needs beside the text."""
        return {VARIABLE: self.secrets} if self.secrets else {}


def find() -> Remote | None:
    """The default remote, None when there is none; InputError when a step cannot use it."""
    settings = configuration()
    name = settings.get(DEFAULT)
    if not name:
        return None
    remote_section = section(settings, name)
    if "url" not in remote_section:
        raise InputError(f"DVC remote {name}", "its url in .dvc/config", "none", "see `dvc remote add`")
    return Remote(*split(remote_section))


def configuration(timeout: float | None = None) -> dict[str, str]:
    """DVC's settings by their dotted names; InputError without an answer within `timeout` seconds."""
    lines = ask("config", "--list", timeout=timeout).splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def section(settings: Mapping[str, str], name: str) -> dict[str, str]:
    """The settings of a remote, empty for one that is not there."""
    prefix = f"remote.{name}."
    return {key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)}


def ask(*arguments: str, timeout: float | None = None) -> str:
    """What DVC answers; InputError when it fails, or says nothing for so many seconds."""
    try:
        done = run_dvc(*arguments, timeout=timeout)
    except subprocess.TimeoutExpired:
        cure = "correct its address, or repair the network"
        raise InputError("DVC remote", "an answer", f"none in {timeout:g} s", cure) from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        message = errors[0].removeprefix("ERROR: ") if errors else f"exit code {done.returncode}"
        raise InputError("DVC remote", "an answer", message, "see `dvc remote list` and `dvc doctor`")
    return done.stdout
