"""The locks: every direct dependency at a version its bounds allow, everything hashed, no host named."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tidegate.versions.section import PUBLIC

root = Path(__file__).parents[1]
project = tomllib.loads((root / "pyproject.toml").read_text())
always, extras = project["project"]["dependencies"], project["project"]["optional-dependencies"]
serving = project["dependency-groups"]["serving"]
locks = {
    "requirements-build.txt": project["build-system"]["requires"],
    "requirements.txt": always + extras["kubeflow"] + extras["sample"] + extras["serve"],
    "requirements-steps.txt": always + extras["server"],
    "requirements-serve.txt": [text for text in always + extras["serve"] if Requirement(text).name in serving],
    "requirements-dev.txt": always + [requirement for extra in extras.values() for requirement in extra],
}


def pinned(text: str) -> dict[str, list[str]]:
    """The versions of each locked package; a package may have one per Python version."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(\S+)", text, re.MULTILINE):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


@pytest.mark.parametrize("name", locks)
def test_the_lock_holds_what_pyproject_asks_for(name: str) -> None:
    versions = pinned((root / name).read_text())
    for requirement in map(Requirement, locks[name]):
        found = versions.get(canonicalize_name(requirement.name))
        assert found, f"{requirement.name} is not in {name}: run `make lock`"
        assert all(version in requirement.specifier for version in found), f"{requirement}: {found}; run `make lock`"


@pytest.mark.parametrize("name", locks)
def test_every_locked_package_has_hashes_and_no_host(name: str) -> None:
    text = (root / name).read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|-c /", text) == []


@pytest.mark.parametrize("requirement", map(Requirement, locks["requirements-dev.txt"]), ids=str)
def test_every_direct_dependency_has_a_floor_and_a_ceiling(requirement: Requirement) -> None:
    operators = {specifier.operator for specifier in requirement.specifier}
    assert "==" in operators or (">=" in operators and "<" in operators)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-steps.txt", "requirements-serve.txt"])
def test_the_locks_agree_with_each_other(name: str) -> None:
    run, dev = (pinned((root / lock).read_text()) for lock in (name, "requirements-dev.txt"))
    assert {name: (run[name], dev.get(name)) for name in run if dev.get(name) != run[name]} == {}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-steps.txt"])
def test_every_kind_of_remote_can_be_reached(name: str) -> None:
    plugins = {"s3": "dvc-s3", "gs": "dvc-gs", "azure": "dvc-azure", "ssh": "dvc-ssh"}
    assert plugins.keys() | {""} == PUBLIC.keys()
    assert set(plugins.values()) <= pinned((root / name).read_text()).keys()


def test_the_image_needs_no_kubeflow_and_no_developer_tools() -> None:
    found = pinned((root / "requirements-steps.txt").read_text())
    assert found.keys().isdisjoint({"kfp", "pytest", "mypy", "ruff", "uv"})


def test_the_image_of_the_server_needs_less_than_that_of_the_steps() -> None:
    served = pinned((root / "requirements-serve.txt").read_text())
    assert served.keys() >= set(map(canonicalize_name, serving))
    assert {name for name in served if name.startswith(("kfp", "dvc", "evidently", "pytest", "tritonclient"))} == set()
