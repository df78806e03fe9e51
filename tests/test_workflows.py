"""What GitHub runs: the commands of a laptop, with no more rights than they need, and nothing by a name that moves."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.tiers import lacking

root = Path(__file__).parents[1]
files = sorted((root / ".github/workflows").glob("*.yml"))
workflows: dict[str, Any] = {path.stem: YAML(typ="safe", pure=True).load(path) for path in files}
# What only this place has to say: everything else is a target of make, and the same on a laptop.
names = ('echo "IMAGE=$(make', 'echo "SERVER_IMAGE=$(make')
others = (".ci/run", ".venv/bin/tidegate upload", "docker push ", "gh release create ", *names)


def steps(*names: str) -> Iterator[dict[str, Any]]:
    """The steps of these workflows, or of all."""
    for name in names or workflows:
        for job in workflows[name]["jobs"].values():
            yield from job["steps"]


def commands() -> list[str]:
    """Every line that is run."""
    return [line for step in steps() for line in step.get("run", "").replace("\\\n", " ").strip().splitlines()]


def test_a_change_is_checked_and_a_tag_is_released() -> None:
    assert {name: set(found["on"]) for name, found in workflows.items()} == {
        "check": {"pull_request", "push"},
        "release": {"push"},
    }
    assert workflows["release"]["on"]["push"] == {"tags": ["v*"]}
    assert {"make check", ".ci/run", "make images"} <= {step.get("run") for step in steps("check")}


@pytest.mark.parametrize("target", sorted({word for line in commands() for word in re.findall(r"\bmake (\w+)", line)}))
def test_every_target_of_make_is_there(target: str) -> None:
    found = subprocess.run(["make", "--dry-run", target], cwd=root, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_nothing_else_is_run() -> None:
    assert [line for line in commands() if not line.startswith(("make ", *others))] == []
    assert (root / ".ci/run").stat().st_mode & 0o111


def test_nobody_can_write_a_command_into_a_line_that_is_run() -> None:
    assert [line for line in commands() if "${{" in line] == [], "expressions go through the environment"
    assert "pull_request_target" not in {event for found in workflows.values() for event in found["on"]}


def test_rights_are_asked_for_where_they_are_needed() -> None:
    assert all(found["permissions"] == {"contents": "read"} for found in workflows.values())
    jobs = {name: job for found in workflows.values() for name, job in found["jobs"].items()}
    more = {name: job["permissions"] for name, job in jobs.items() if "permissions" in job}
    assert more == {"release": {"contents": "write", "packages": "write"}}
    for step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
    assert "secrets." not in (root / ".github/workflows/check.yml").read_text(), "a change is not told secrets"


def test_actions_are_named_by_full_versions_and_every_job_ends() -> None:
    used = {step["uses"] for step in steps() if "uses" in step}
    assert used and [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", name)] == []
    assert all(job.get("timeout-minutes") for found in workflows.values() for job in found["jobs"].values())


@pytest.mark.tools
def test_actionlint_finds_nothing() -> None:
    if not shutil.which("actionlint"):
        lacking("needs actionlint")
    found = subprocess.run(
        ["actionlint", "-shellcheck=", "-pyflakes=", *files], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout
