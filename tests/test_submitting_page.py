"""docs/submitting.md: every command is one, every flag of the connection has its row, every check its own."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from tidegate.commands.cli import parser
from tidegate.commands.cluster import prerequisites, reasons
from tidegate.commands.cluster.connection import FLAGS, connection

root = Path(__file__).parents[1]
page = (root / "docs/submitting.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("command", commands)
def test_every_command_is_one(command: str) -> None:
    program, *words = shlex.split(command)
    assert program == "tidegate" and callable(parser().parse_args(words).run)


def test_every_flag_of_the_connection_has_its_row() -> None:
    assert [row[0] for row in rows if row[0].startswith("`--")] == [f"`{flag}`" for flag in FLAGS]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(KFP?_\w+)`", page))))
def test_every_variable_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    given, value = vars(argparse.Namespace(timeout=8.0)), str(tmp_path / "file")
    assert connection(given, {name: value}) != connection(given, {})


def test_every_check_has_its_row() -> None:
    there = connection({"timeout": 8.0}, {})
    names = [
        *prerequisites.of_the_run(None, None, lambda: ""),
        *prerequisites.of_the_rights(there),
        *prerequisites.of_the_services(there),
    ]
    place = [row[0] for row in rows].index("check")
    assert [row[0] for row in rows[place + 2 : place + 2 + len(names)]] == names


def test_every_reason_that_has_a_cure_has_its_row() -> None:
    told = " ".join(row[0] for row in rows[[row[0] for row in rows].index("reason") :])
    for pattern in reasons.CURES:
        assert all(word.removeprefix("[Dd]") in told for word in pattern.split("|")), pattern


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:k8s|docs)/[\w./-]*)`", page))))
def test_what_it_names_is_there(path: str) -> None:
    assert (root / path).exists()
