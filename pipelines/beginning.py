"""`tidegate init`: a new repository for another problem, with its files drafted from its data."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from rich.markup import escape

from components.errors import InputError
from components.formats import read_text, replacing, write_text
from pipelines import workspace
from pipelines.console import console
from pipelines.inspecting import output
from pipelines.workspace import dvc

root = Path(__file__).parents[1]
# What a repository needs beside its problem; the tests, which know the sample, stay behind.
house = (
    ".dockerignore", ".dvcignore", ".gitignore", "LICENSE", "Makefile", "components", "docs", "dvc.yaml", "k8s",
    "pipelines", "pyproject.toml", "requirements*.txt",
)  # fmt: skip
untaken = shutil.ignore_patterns("__pycache__", "secrets.env", "secrets.json")
nobody = "tidegate"  # who commits where git knows nobody
readme = """\
# {}

Trained, judged and promoted by Tidegate: `docs/adapt.md` says which file is for what.

```sh
make run
```
"""


def begin(target: Path, file: Path, label: str, time: str, key: str) -> dict[str, Any]:
    """Make the repository `target` for the events in `file`; returns what was drafted. Nothing is left if it fails."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(target, "a new or an empty folder", "files", "name another folder")
    found: dict[str, Any] = json.loads(
        output("begin", {"file": file.resolve(), "label": label, "time": time, "key": key})
    )
    with replacing(target) as folder:
        folder.mkdir()
        _lay_house(folder)
        for name, text in {**found["files"], "README.md": readme.format(target.name)}.items():
            write_text(folder / name, text)
        write_text(folder / "params.yaml", with_params(read_text(root / workspace.params), found["params"]))
        (folder / "data").mkdir()
        shutil.copyfile(file, folder / "data" / file.name)
        _versioned(folder)
    return found


def _lay_house(folder: Path) -> None:
    for source in (path for name in house for path in root.glob(name)):
        if source.is_dir():
            shutil.copytree(source, folder / source.name, ignore=untaken)
        else:
            shutil.copyfile(source, folder / source.name)


def with_params(text: str, given: Mapping[str, Mapping[str, str]]) -> str:
    """The text of params.yaml with other values (as YAML) in some places, comments kept."""
    for section, values in given.items():
        for key, value in values.items():
            place = re.compile(rf"^({section}:\n(?:[ #].*\n|\n)*?  {key}: *)([^ #\n]+)", re.MULTILINE)
            text, count = place.subn(lambda match, value=value: f"{match[1]}{value}", text, count=1)  # type: ignore[misc]
            if not count:
                raise InputError(workspace.params, f"{section}.{key}", "none", "add it")
    return text


def _versioned(folder: Path) -> None:
    """Make it a repository of git and DVC with a first commit, so that a champion can say which code made it."""
    commands = [
        ["git", "init", "--quiet"],
        dvc("init", "--quiet", "--force"),
        dvc("config", "core.analytics", "false"),
        dvc("add", "--quiet", "data"),
        ["git", "add", "--all"],
    ]
    for command in commands:
        _done(command, folder)
    _done(["git", *_somebody(folder), "commit", "--quiet", "--message", "Begin"], folder)


def _somebody(folder: Path) -> list[str]:
    """Settings for this one commit where git does not know by whom it is; nobody's configuration is written to."""
    asked = [["git", "var", f"GIT_{role}_IDENT"] for role in ("AUTHOR", "COMMITTER")]
    known = [subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode for command in asked]
    if not any(known):
        return []
    cure = 'say `git config --global user.name "..."` and `user.email`, for the next commit needs it'
    print(f"note: git does not know who you are: the first commit is by {nobody}; {cure}", file=sys.stderr)
    return ["-c", f"user.name={nobody}", "-c", f"user.email={nobody}@localhost"]


def _done(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        found = " ".join(done.stderr.split())
        raise InputError(" ".join(command[-4:]), "to succeed", found, "mend it and run this again")


def show(target: Path, found: Mapping[str, Any]) -> None:
    """Tell a person what was drafted and what comes next."""
    screen = console()
    screen.print(f"{target}: a {found['task']} problem, drafted from its data", soft_wrap=True)
    for name, text in found["files"].items():
        screen.print(f"\n[bold]{name}[/]")
        marked = [line.strip() for line in text.splitlines() if "check this" in line or line.startswith("-- Left out")]
        for line in marked or ["as usual"]:
            screen.print(f"  {escape(line)}", soft_wrap=True)
    screen.print(f"\nCheck those lines, then:\n  cd {quote(str(target))}\n  make run", soft_wrap=True)
