"""docs/contract.md: every key of the schema has its row, every command does what it says."""

import json
import re
from pathlib import Path

import pytest

from tests.workspaces import Workspace
from tidegate.contract.contract import schema

root = Path(__file__).parents[1]
page = (root / "docs/contract.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


def test_the_page_has_a_row_for_every_key_and_role_of_the_schema_and_for_no_other() -> None:
    found = schema()
    parts = [part.get("properties", {}) for part in (found, *found["definitions"].values())]
    keys = [*(key for part in parts for key in part), *found["definitions"]["column"]["properties"]["role"]["enum"]]
    first = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert sorted(name for cell in first for name in re.findall("`(.*?)`", cell)) == sorted(keys)


def test_the_page_names_every_value_that_a_key_may_have() -> None:
    found = schema()
    values = [*found["properties"]["task"]["enum"], *found["definitions"]["column"]["properties"]["type"]["enum"]]
    assert [value for value in values if f"`{value}`" not in page] == []


@pytest.mark.parametrize("command", commands)
def test_every_command_does_what_it_says(command: str, sample: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(sample)
    for name in ("contract.yaml", "params.yaml"):
        (tmp_path / name).write_text((root / name).read_text())
    done = Workspace(tmp_path).tidegate(*command.split()[1:], check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) is not None if "--json" in command else done.stdout


def test_a_file_that_breaks_the_contract_ends_with_every_violation(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(sample)
    for name in ("contract.yaml", "params.yaml"):
        (tmp_path / name).write_text((root / name).read_text())
    done = Workspace(tmp_path).tidegate("validate", "data/planes.csv", "--table", "weather", check=False)
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert len([line for line in lines if "found none" in line]) == 14
    assert "Traceback" not in done.stderr
