"""Inspects a contract or a file: runs a program of `tidegate.commands.draft` and prints its result."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from tidegate.commands.console import console
from tidegate.commands.loop.workspace import CONTRACT, DATA, PARAMS
from tidegate.documents.parameters import read_parameters
from tidegate.process.errors import SchemaSkewError
from tidegate.process.interpreter import python


def check(file: Path, table: str, until: str) -> tuple[Mapping[str, Any], list[str]]:
    """The findings of one file and its violations as lines; SchemaSkewError if it cannot be read."""
    share = str(read_parameters(PARAMS)["validate"]["max_bad_share"])
    flags = {"file": file, "table": table, "contract": CONTRACT, "data": DATA, "until": until, "max_bad_share": share}
    done = _run("file_check", flags)
    lines = _errors(done)
    if not done.stdout:
        raise SchemaSkewError(lines[:-1], lines[-1])
    return json.loads(done.stdout), lines


def infer(paths: list[Path], form: str) -> str:
    """The draft of a contract as text."""
    return output("inference", {"paths": "\n".join(map(str, paths)), "form": form})


def diff(old: Path, new: Path, table: str) -> list[dict[str, str]]:
    """The differences: place, old, new."""
    changes: list[dict[str, str]] = json.loads(output("difference", {"old": old, "new": new, "table": table}))
    return changes


def show_check(findings: Mapping[str, Any]) -> None:
    """Print the findings of one table: each broken promise, and what was not checked."""
    ((name, table_findings),) = findings["tables"].items()
    console().print(
        f"{name}: {table_findings['rows']:,} rows, {table_findings['bad_rows']:,} break a promise", soft_wrap=True
    )
    table = Table("promise")
    table.add_column("rows that break it", justify="right")
    for item in table_findings["broken"]:
        table.add_row(item["promise"], f"{item['rows']:,}")
    for column in table_findings["unknown_columns"]:
        table.add_row(f"{column}: unknown to the contract", "–")
    for line in findings["unchecked"]:
        table.add_row(f"not checked: {line}", "–")
    if table.row_count:
        console().print(table)


def show_diff(changes: list[dict[str, str]]) -> None:
    """Print the differences as a table, or that there are none."""
    if not changes:
        console().print("no difference")
        return
    table = Table("place", "old", "new")
    for change in changes:
        table.add_row(change["place"], change["old"], change["new"])
    console().print(table)


def output(command: str, flags: Mapping[str, object]) -> str:
    """The output of a program of `tidegate.commands.draft`; SchemaSkewError with its error lines if it fails."""
    done = _run(command, flags)
    if lines := _errors(done):
        raise SchemaSkewError(lines[:-1], lines[-1])
    return done.stdout


def _run(command: str, flags: Mapping[str, object]) -> "subprocess.CompletedProcess[str]":
    # `--flag=value`: a value may begin with a dash or be empty.
    words = [f"--{name}={value}" for name, value in flags.items()]
    return subprocess.run(
        python(f"tidegate.commands.draft.{command}", *words), capture_output=True, text=True, check=False
    )


def _errors(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """The error lines; a traceback is a bug, and is returned as it is."""
    if done.returncode not in (0, 2):
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)
    return [line.removeprefix("error: ") for line in done.stderr.splitlines()] if done.returncode else []
