"""No value and no name reaches a shell, and a refused value costs no output of the run before."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.workspaces import Workspace
from tidegate.documents.formats import read_yaml

HOSTILE = "$(touch owned); touch owned #`touch owned`'\"&|\n>owned"
VALUES = [
    ("ingest", "until"),
    ("ingest", "batch_days"),
    ("validate", "max_bad_share"),
    ("gate", "mode"),
    ("gate", "off"),
    ("gate", "sample_rows"),
    ("train", "window_days"),
    ("evaluate", "leak"),
    ("deploy", "approval"),
    ("collect", "repository"),
]
NewWorkspace = Callable[[Path], Workspace]


def test_no_stage_has_a_letter_that_a_shell_takes_for_its_own() -> None:
    for name, stage in read_yaml(ROOT / "dvc.yaml")["stages"].items():
        assert re.fullmatch(r"[\w ./=-]+", stage["cmd"]), name


def owned(workspace: Workspace) -> list[Path]:
    return list(workspace.folder.parent.rglob("owned*"))


def with_value(text: str, section: str, key: str, value: str) -> str:
    """The text of params.yaml with this value, quoted as YAML wants it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    found = re.search(rf"^{section}:.*\n(?:[ #].*\n)*?  {key}: *(?P<value>\"[^\"]*\"|[^ \n]+)", text, re.MULTILINE)
    assert found
    return f'{text[: found.start("value")]}"{escaped}"{text[found.end("value") :]}'


@pytest.fixture(scope="session")
def _ran(turned_once: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One run, committed; every test leaves it as it was."""
    workspace = turned_once.copy(tmp_path_factory.mktemp("shell") / "here")
    workspace.run("git", "add", "--all")
    workspace.run("git", "commit", "--quiet", "--message", "The first run")
    return workspace


@pytest.fixture
def ran(_ran: Workspace) -> Workspace:
    """After one run."""
    assert not owned(_ran)
    return _ran


@pytest.mark.parametrize(("section", "key"), VALUES, ids=[".".join(value) for value in VALUES])
def test_a_hostile_parameter_is_refused_and_costs_no_output(section: str, key: str, ran: Workspace) -> None:
    path, before = ran / "params.yaml", ran.snapshot()
    text = path.read_text()
    path.write_text(with_value(text, section, key, HOSTILE))
    try:
        refused = [ran.run("tidegate", "run", check=False)]
        if section != "collect":  # DVC runs no stage for it
            refused.append(ran.run("dvc", "repro", check=False))
    finally:
        path.write_text(text)
    for found in refused if section != "collect" else ():  # a text that only a cluster's step reads
        assert found.returncode and f"{section}.{key}" in found.stdout + found.stderr
    assert not owned(ran)
    assert ran.snapshot() == before


@pytest.mark.parametrize("value", ["$(touch${IFS}owned)", "`touch owned`", "x; touch owned", "'; touch owned; '"])
def test_a_hostile_value_of_an_experiment_is_refused_and_costs_no_output(value: str, ran: Workspace) -> None:
    before = ran.snapshot()
    found = ran.run("dvc", "exp", "run", "-S", f"gate.mode={value}", check=False)
    assert found.returncode  # by the step, or by DVC where it is not in its grammar of values
    assert not owned(ran)
    assert ran.snapshot() == before
    ran.run("git", "checkout", "--quiet", ".")


def test_hostile_names_of_folder_file_branch_and_experiment_are_only_names(begun: Workspace, tmp_path: Path) -> None:
    workspace = begun.copy(tmp_path / "it's $(touch owned) & `touch owned`; touch owned")
    (workspace / "data/$(touch owned);`touch owned`&.csv").write_text("a\n")
    workspace.run("dvc", "add", "--quiet", "data")
    workspace.run("git", "checkout", "--quiet", "-b", "$(touch${IFS}owned);`id`&'")
    workspace.run("git", "commit", "--quiet", "--all", "--message", "A file with a name")
    workspace.run("dvc", "repro", "featurize")
    workspace.run("dvc", "exp", "run", "--name", "$(touch${IFS}owned)", "ingest", check=False)
    assert not owned(workspace)
    assert (workspace / "artifacts/featurize/batch.json").is_file()
    files = (workspace / "artifacts/ingest/manifest.json").read_text()
    assert "$(touch owned);`touch owned`&.csv" in files


def test_hostile_texts_of_the_problem_are_only_texts(begun: Workspace, tmp_path: Path) -> None:
    workspace = begun.copy(tmp_path / "here")
    hostile = {"contract.yaml": ("name: flights", "name: $(touch owned)"), "model.yaml": ("sklearn", "$(touch owned)")}
    for name, (old, new) in hostile.items():
        text = (workspace / name).read_text()
        assert old in text
        (workspace / name).write_text(text.replace(old, new))
    found = workspace.run("dvc", "repro", check=False)
    assert found.returncode and "contract.yaml" in found.stderr
    assert not owned(workspace)
