"""docs/data.md: its commands do what they say, and every setting and variable that it names is one."""

import re
from pathlib import Path

import pytest

from tests.orders import CONTRACT
from tests.servers.programs import s3
from tests.workspaces import Workspace
from tidegate.commands.cli import parser
from tidegate.versions.section import PUBLIC, SECRET

root = Path(__file__).parents[1]
page = (root / "docs/data.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


def test_every_command_does_what_it_says(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.environment["PYTHONPATH"] = str(root)
    (tmp_path / "contract.yaml").write_text(CONTRACT.replace("FOLDER", "exports"))
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports/a.csv").write_text("at,id,back\n2013-01-01,1,\n2014-02-01,2,\n")
    workspace.run("dvc", "init", "--quiet", "--no-scm")
    with s3("bucket") as endpoint:
        for command in commands:
            if command.startswith("tidegate watch"):  # it needs a whole problem: see test_watch.py
                assert callable(parser().parse_args(command.split()[1:]).run)
                continue
            workspace.run(*command.replace("https://objects.example.org", endpoint).split())
    (file,) = (tmp_path / "data/orders").iterdir()
    assert file.name == "20130101T000000-20140201T000000.csv"


@pytest.mark.parametrize("kind", [kind for kind in PUBLIC if kind])
def test_the_settings_of_each_kind_are_settings(kind: str) -> None:
    row = next(line for line in page.splitlines() if f"`{kind}://" in line)
    _, _, _, settings, secrets, _ = row.split("|")
    assert set(re.findall(r"`([a-z_]+)`", settings)) <= PUBLIC[kind]
    assert set(re.findall(r"`([a-z_]+)`", secrets)) - {"credentialpath"} == SECRET[kind]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(TIDEGATE_\w+)`", page))))
def test_every_variable_is_read_by_the_code(name: str) -> None:
    paths = [path for place in ("tidegate", "components") for path in (root / place).rglob("*.py")]
    assert any(name in path.read_text() for path in paths)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`collect\.(\w+)`", page))))
def test_every_parameter_is_one(name: str) -> None:
    assert f"  {name}: " in (root / "params.yaml").read_text().partition("\n\n")[0]
