"""docs/contract.md: every key of the schema has its row, every command does what it says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from components.contract import schema

root = Path(__file__).parents[1]
page = (root / "docs/contract.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


def test_every_key_and_every_role_has_its_row() -> None:
    found = schema()
    table, column, source = (found["definitions"][name]["properties"] for name in ("table", "column", "source"))
    words = {*found["properties"], *table, *column, *source, *column["role"]["enum"], *column["type"]["enum"]}
    rows = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    assert {word for word in words if f"`{word}`" not in rows} == set()


@pytest.mark.parametrize("command", commands)
def test_every_command_does_what_it_says(command: str, sample: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(sample)
    for name in ("contract.yaml", "params.yaml"):
        (tmp_path / name).write_text((root / name).read_text())
    words = [sys.executable, "-m", "pipelines.cli", *command.split()[1:]]
    done = subprocess.run(words, cwd=tmp_path, env=_environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) is not None if "--json" in command else done.stdout


def test_a_file_that_breaks_the_contract_ends_with_every_violation(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(sample)
    for name in ("contract.yaml", "params.yaml"):
        (tmp_path / name).write_text((root / name).read_text())
    words = [sys.executable, "-m", "pipelines.cli", "validate", "data/planes.csv", "--table", "weather"]
    done = subprocess.run(words, cwd=tmp_path, env=_environment(), capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert len([line for line in lines if line.startswith("error: weather: column")]) == 14
    assert "Traceback" not in done.stderr


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root)}
