"""The commands that only list say the same with MLflow and without it, and import nothing slow."""

import re
import sys
from pathlib import Path

import pytest

from tests.workspaces import Workspace
from tests.worlds import unpacked
from tidegate.tracking import embedded

SLOW = "alembic|dvc|duckdb|evidently|jinja2|mlflow|numpy|pandas|pyarrow|requests|scipy|sklearn|sqlalchemy"
COMMANDS = ["history", "batches", "status", "waiting", "feedback", "lineage 1", "lineage 3", "card 2", "card 3"]
REFUSED = ["lineage 99", "lineage first", "card 0"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a promotion, an approval, a rejection and feedback; to be read."""
    return Workspace(unpacked(tmp_path_factory, Path(__file__).parent / "formats/1.tar.xz"))


def said(workspace: Workspace, command: str) -> tuple[int, str, str]:
    done = workspace.tidegate(*command.split(), check=False)
    return done.returncode, done.stdout, done.stderr


with_json = [f"{command} --json" for command in COMMANDS if not command.startswith("card")]


@pytest.mark.parametrize("command", [*COMMANDS, *with_json, *REFUSED])
def test_a_listing_is_the_same_with_mlflow_and_without(
    command: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = said(workspace, command)
    monkeypatch.setattr(embedded, "REVISION", "of another release")  # so MLflow is asked
    assert said(workspace, command) == without
    assert (without[0] != 0) == (command in REFUSED)


def test_a_page_is_the_same_with_mlflow_and_without(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.tidegate("history", "--page", str(tmp_path / "without.html"))
    monkeypatch.setattr(embedded, "REVISION", "of another release")
    workspace.tidegate("history", "--page", str(tmp_path / "with.html"))
    assert (tmp_path / "with.html").read_bytes() == (tmp_path / "without.html").read_bytes()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_listing_imports_nothing_slow(command: str, workspace: Workspace) -> None:
    done = workspace.run(sys.executable, "-X", "importtime", "-m", "tidegate", *command.split())
    assert "tidegate.tracking.embedded" in done.stderr
    assert set(re.findall(rf"\| +({SLOW})$", done.stderr, re.MULTILINE)) == set()
