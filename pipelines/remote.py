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


def default() -> Remote | None:
    """The default remote, None when there is none; InputError when a step cannot use it."""
    listed = run_dvc("config", "--list").stdout
    name = re.search(r"^core\.remote=(.+)$", listed, re.MULTILINE)
    if not name:
        return None
    section = dict(re.findall(rf"^remote\.{re.escape(name[1])}\.(\w+)=(.*)$", listed, re.MULTILINE))
    if "url" not in section:
        raise InputError(".dvc/config", f"the url of the default remote {name[1]}", "none", "see `dvc remote add`")
    return Remote(*split(section))
