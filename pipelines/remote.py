"""The DVC remote of this workspace, as a run carries it: its settings as a parameter, its secrets by environment."""

import re
from typing import NamedTuple

from components.errors import InputError
from components.remote.section import split, variable
from pipelines.workspace import run_dvc


class Remote(NamedTuple):
    """The text of the section of the DVC config without secrets, and the lines of it that are secret."""

    text: str
    secrets: str

    def environment(self) -> dict[str, str]:
        """What a step needs beside the text."""
        return {variable: self.secrets} if self.secrets else {}


def find(name: str = "") -> Remote | None:
    """The remote of that name, else the default one, None when there is none; InputError when a step cannot use it."""
    listed = run_dvc("config", "--list").stdout
    default = re.search(r"^core\.remote=(.+)$", listed, re.MULTILINE)
    chosen = name or (default[1] if default else "")
    section = dict(re.findall(rf"^remote\.{re.escape(chosen)}\.(\w+)=(.*)$", listed, re.MULTILINE))
    if chosen and "url" not in section:
        raise InputError(f"DVC remote {chosen}", "its url in .dvc/config", "none", "see `dvc remote add`")
    return Remote(*split(section)) if chosen else None
