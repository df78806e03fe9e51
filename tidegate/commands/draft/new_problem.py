"""`tidegate init`: the folder of a new problem, with its files drafted from its data."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from rich.text import Text

from tidegate.commands.console import console
from tidegate.commands.draft import CLUSTER, PARAMETERS, PLOTS, STAGES
from tidegate.commands.draft.inspection import output
from tidegate.commands.loop import workspace
from tidegate.commands.loop.workspace import dvc
from tidegate.documents.formats import read_text, replacing, write_text
from tidegate.process.errors import InputError

IGNORED = "/.venv*\n/data\n/artifacts/\n/mlartifacts/\n/mlflow.db*\n/dvc_plots/\n"
SETTINGS = f"[core]\n    analytics = false\n[plots]\n    html_template = {PLOTS.name}\n"  # as `dvc config` writes them
NOBODY = "tidegate"  # the author of the commit if git has none
README = """\
# {}

A model that Tidegate trains, evaluates and promotes. `contract.yaml` says what the data promises, `features.sql` what
the model sees, `model.yaml` how it learns, `params.yaml` when it is trained again.

```sh
tidegate run
```
"""


def begin(
    target: Path, file: Path, label: str, time: str, key: str, names: str, cluster: bool = False
) -> dict[str, Any]:
    """Make the problem `target` for the events in `file`; returns what was drafted. Nothing is left if it fails."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(target, "a new or an empty folder", "files", "name another folder")
    problem: dict[str, Any] = json.loads(
        output("problem_files", {"file": file.resolve(), "label": label, "time": time, "key": key, "names": names})
    )
    with replacing(target) as folder:
        folder.mkdir()
        write_text(folder / "dvc.yaml", read_text(STAGES))
        if cluster:
            write_text(folder / "cluster.yaml", read_text(CLUSTER))
        write_text(folder / ".gitignore", IGNORED)
        for name, text in {**problem["files"], "README.md": README.format(target.name)}.items():
            write_text(folder / name, text)
        write_text(folder / "params.yaml", with_params(read_text(PARAMETERS), problem["params"]))
        (folder / "data").mkdir()
        shutil.copyfile(file, folder / "data" / file.name)
        inside = _versioned(folder)
        temporary = folder.name
    if inside:
        # The staged paths have the folder's temporary name.
        _done(["git", "rm", "-r", "--cached", "--quiet", "--ignore-unmatch", "--", f"../{temporary}"], target)
        _done(["git", "add", "--all", "."], target)
    return problem


def with_params(text: str, replacements: Mapping[str, Mapping[str, str]]) -> str:
    """The text of params.yaml with some values (as YAML) replaced; comments are kept."""
    for section, values in replacements.items():
        for key, value in values.items():
            place = re.compile(rf"^({section}:\n(?:[ #].*\n|\n)*?  {key}: *)([^ #\n]+)", re.MULTILINE)
            text, count = place.subn(lambda match, value=value: f"{match[1]}{value}", text, count=1)  # type: ignore[misc]
            if not count:
                raise InputError(workspace.PARAMS, f"{section}.{key}", "none", "add it")
    return text


def _versioned(folder: Path) -> bool:
    """Make it a repository of git and DVC with a first commit, which the first champion names.

    Inside of a git repository it becomes a folder of that, with a DVC of its own, and is left to be committed; returns
    whether it does.
    """
    inside = _inside_git(folder)
    if not inside:
        _done(["git", "init", "--quiet"], folder)
    _done(dvc("init", "--quiet", "--force", *(["--subdir"] if inside else [])), folder)
    write_text(folder / ".dvc" / PLOTS.name, read_text(PLOTS))
    write_text(folder / ".dvc/config", SETTINGS)
    _done(dvc("add", "--quiet", "data"), folder)
    if not inside:
        _done(["git", "add", "--all", "."], folder)
        _done(["git", *_somebody(folder), "commit", "--quiet", "--message", "Begin"], folder)
    return inside


def _inside_git(folder: Path) -> bool:
    command = ["git", "rev-parse", "--is-inside-work-tree"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def _somebody(folder: Path) -> list[str]:
    """Options for this one commit if git has no author; no configuration is written."""
    commands = [["git", "var", f"GIT_{role}_IDENT"] for role in ("AUTHOR", "COMMITTER")]
    exit_codes = [
        subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode for command in commands
    ]
    if not any(exit_codes):
        return []
    cure = 'say `git config --global user.name "..."` and `user.email`, for the next commit needs it'
    print(f"note: git does not know who you are: the first commit is by {NOBODY}; {cure}", file=sys.stderr)
    return ["-c", f"user.name={NOBODY}", "-c", f"user.email={NOBODY}@localhost"]


def _done(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        found = " ".join(done.stderr.split())
        raise InputError(" ".join(command[-4:]), "to succeed", found, "correct it and run this again")


def show(target: Path, problem: Mapping[str, Any]) -> None:
    """Print what was drafted and what to do next."""
    screen = console()
    screen.print(f"{target}: a {problem['task']} problem, drafted from its data", soft_wrap=True)
    for name, text in problem["files"].items():
        screen.print(Text(f"\n{name}", style="bold"))
        marked = [line.strip() for line in text.splitlines() if "check this" in line or line.startswith("-- Left out")]
        for line in marked or ["as usual"]:
            screen.print(f"  {line}", soft_wrap=True)
    screen.print(f"\nCheck those lines, then:\n  cd {quote(str(target))}\n  tidegate run", soft_wrap=True)
