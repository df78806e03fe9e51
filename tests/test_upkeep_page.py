"""docs/upkeep.md: its commands do what they say, in a workspace after three turns; afterwards the loop goes on."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from tests.workspaces import Workspace
from tidegate.process import keys

root = Path(__file__).parents[1]
page = (root / "docs/upkeep.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


def said(workspace: Workspace) -> dict[str, Any]:
    """What the loop tells of itself."""
    words = (["history"], ["batches"], ["lineage", "1"], ["waiting"], ["feedback"])
    return {" ".join(each): json.loads(workspace.tidegate(*each, "--json").stdout) for each in words}


def check_goes_on(workspace: Workspace) -> None:
    """A batch that was decided is known, the next one is decided, and a person takes a version back."""
    batches = said(workspace)["batches"]
    champion = said(workspace)["history"][-1]["to"]
    assert json.loads(workspace.tidegate("run", "--anew", "--json").stdout)["champion"] == champion
    assert said(workspace)["batches"] == batches
    workspace.tidegate("run", "--until", "2013-06-01")
    assert len(said(workspace)["batches"]) == len(batches) + 1
    workspace.tidegate("review", "--no-open")
    assert "is champion" in workspace.tidegate("rollback", "--reason", "a test").stdout


def test_a_registry_comes_back(workspace: Workspace, tmp_path: Path) -> None:
    private, public = keys.make()
    workspace.environment[keys.KEY] = private
    for champion in {row["to"] for row in said(workspace)["history"]}:
        workspace.tidegate("keys", "sign", champion)
    params = (workspace / "params.yaml").read_text()
    (workspace / "params.yaml").write_text(params.replace('sign: ""', f'sign: "{public}"'))
    batch = json.loads(workspace.tidegate("batches", "--json").stdout)[0]["batch"]
    workspace.tidegate("feedback", batch, "wrong", "--reason", "a strike")
    before = said(workspace)
    assert re.fullmatch(r"flights: 3 runs, \d models, \d versions, \d entries of the journal: .*\n", backup(workspace))
    refused = workspace.tidegate("restore", "flights.zip", check=False)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    for name in ("mlflow.db", "mlartifacts"):
        (workspace / name).rename(tmp_path / name)
    champion = before["history"][-1]["to"]
    assert workspace.tidegate("restore", "flights.zip").stdout.endswith(f"; champion: version {champion}\n")
    assert said(workspace) == before
    shutil.rmtree(tmp_path / "mlartifacts")
    assert ": the same model (" in workspace.tidegate("reproduce", "1").stdout
    check_goes_on(workspace)


def backup(workspace: Workspace) -> str:
    assert "tidegate backup flights.zip" in commands and "tidegate restore flights.zip" in commands
    return workspace.tidegate("backup", "flights.zip").stdout


def test_a_folder_is_no_file_and_another_file_no_copy(workspace: Workspace) -> None:
    for words in (("backup", "artifacts"), ("restore", "contract.yaml"), ("restore", "none.zip")):
        done = workspace.tidegate(*words, check=False)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert (workspace / "artifacts/gate").is_dir() and (workspace / "contract.yaml").is_file()
