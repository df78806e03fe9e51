"""What an earlier version left is read, upgraded and gone on with: its workspace, its registry, its journal."""

import json
from pathlib import Path

import pytest

from tests.workspaces import Workspace
from tests.worlds import unpacked

ARCHIVES = sorted(Path(__file__).parent.glob("*.tar.xz"))


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda path: path.name)
def left(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The workspace of an archive, as whoever upgrades has it."""
    return Workspace(unpacked(tmp_path_factory, request.param))


@pytest.fixture
def workspace(left: Workspace, tmp_path: Path) -> Workspace:
    """A copy to change."""
    return left.copy(tmp_path / "orders")


def test_what_was_decided_and_promoted_is_read(left: Workspace) -> None:
    history = json.loads(left.tidegate("history", "--json").stdout)
    moves = [(row["kind"], row["from"], row["to"]) for row in history]
    assert moves == [("promotion", None, "1"), ("approval", "1", "3")]
    batches = json.loads(left.tidegate("batches", "--json").stdout)
    assert [(row["until"], row["verdict"]) for row in batches] == [
        ("2024-03-01", "accepted"),
        ("2024-04-01", "refused"),
        ("2024-05-01", "refused"),
        ("2024-06-01", "accepted"),
        ("2024-07-01", "accepted"),
    ]
    (said,) = json.loads(left.tidegate("feedback", "--json").stdout)
    assert "the drift was a price change" in said.values()
    status = json.loads(left.tidegate("status", "--json").stdout)
    assert status["champion"]["to"] == "3"


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_a_version_tells_what_made_it(version: str, left: Workspace) -> None:
    lineage = json.loads(left.tidegate("lineage", version, "--json").stdout)
    assert lineage["version"] == version
    assert lineage["made_from"]["training"]["rows"] > 300
    assert lineage["verdict"]["accepted"]
    kind = {"1": "promotion", "2": "rejection", "3": "approval"}[version]
    assert kind in {row["kind"] for row in lineage["journal"]}
    assert "Will an order come back?" in left.tidegate("card", version).stdout


def test_an_upgraded_workspace_goes_on(workspace: Workspace) -> None:
    workspace.tidegate("upgrade", "--write")
    told = workspace.tidegate("run", "--until", "2024-08-01").stdout
    batches = json.loads(workspace.tidegate("batches", "--json").stdout)
    assert [row["until"] for row in batches][-1] == "2024-08-01", told
    assert batches[-1]["champion"] == "3"
    decision = json.loads((workspace.folder / "artifacts/gate/decision.json").read_text())
    assert decision["compared"]["population"] == "labelled rows", "all that the reference of the archive holds"
    assert "nothing to do" in workspace.tidegate("run").stdout


def test_a_rollback_leads_to_a_version_of_the_archive(workspace: Workspace) -> None:
    workspace.tidegate("rollback", "--reason", "the second was too eager")
    status = json.loads(workspace.tidegate("status", "--json").stdout)
    assert status["champion"]["to"] == "1"
