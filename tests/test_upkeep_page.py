"""docs/upkeep.md: its commands do what they say, in a workspace after three turns; afterwards the loop goes on."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.workspaces import Workspace
from tests.worlds import move_store
from tidegate.documents.data_version import tracked
from tidegate.process import keys

root = Path(__file__).parents[1]
page = (root / "docs/upkeep.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def own(workspace: Workspace, turned_once: Workspace) -> Workspace:
    """The workspace with files of MLflow of its own: a copied store names those of the folder where it was made."""
    shutil.copytree(turned_once / "mlartifacts", workspace / "mlartifacts", dirs_exist_ok=True)
    move_store(workspace / "mlflow.db", str(turned_once.folder), str(workspace.folder))
    return workspace


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


def test_a_registry_comes_back(own: Workspace, tmp_path: Path) -> None:
    workspace = own
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
    there = workspace.copy(tmp_path / "there")
    there.environment = workspace.environment
    (there / "mlflow.db").unlink()
    shutil.rmtree(there / "mlartifacts")
    champion = before["history"][-1]["to"]
    assert there.tidegate("restore", "flights.zip").stdout.endswith(f"; champion: version {champion}\n")
    shutil.rmtree(workspace / "mlartifacts")  # nothing there is still needed
    assert said(there) == before
    assert ": the same model (" in there.tidegate("reproduce", "1").stdout
    check_goes_on(there)


def backup(workspace: Workspace) -> str:
    assert "tidegate backup flights.zip" in commands and "tidegate restore flights.zip" in commands
    return workspace.tidegate("backup", "flights.zip").stdout


def put_back_in_time(workspace: Workspace) -> tuple[Path, Path]:
    """An object of DVC's cache that nothing uses, and a list of files of which only an old commit knows; both old."""
    cache = workspace / ".dvc/cache/files/md5"
    text = (workspace / "data.dvc").read_text()
    (workspace / "data/planes.csv").write_text((workspace / "data/planes.csv").read_text() + "\n")
    workspace.run("dvc", "add", "--quiet", "data")
    workspace.environment |= {"GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
    workspace.run("git", "commit", "--quiet", "--all", "--message", "Another version")
    del workspace.environment["GIT_COMMITTER_DATE"]
    md5 = tracked((workspace / "data.dvc").read_text()).md5
    (workspace / "data.dvc").write_text(text)
    workspace.run("dvc", "checkout", "--quiet", "data")
    workspace.run("git", "commit", "--quiet", "--all", "--message", "Back again")
    unused = cache / "00" / ("0" * 30)
    unused.parent.mkdir(exist_ok=True)
    unused.write_text("of nobody")
    for path in cache.glob("??/*"):
        os.utime(path, (0, 0))
    return unused, cache / md5[:2] / md5[2:]


def test_what_is_old_goes_and_the_loop_goes_on(own: Workspace) -> None:
    workspace = own
    recorded = workspace / "asked/hour=2024-01-01T05/a.parquet"
    recorded.parent.mkdir(parents=True)
    recorded.write_bytes(b"x" * 99)
    params = (workspace / "params.yaml").read_text()
    (workspace / "params.yaml").write_text(params.replace('record: ""', 'record: "asked"'))
    broken = workspace / "old/dvc.yaml"
    broken.parent.mkdir()
    broken.write_text("stages: none\n")
    tracked_there = workspace / ".dvc/cache/files/md5/ab" / ("c" * 30)
    tracked_there.parent.mkdir(exist_ok=True)
    tracked_there.write_text("of the commit that DVC cannot read")
    (broken.parent / "table.csv.dvc").write_text(f"outs:\n- md5: ab{'c' * 30}\n  path: table.csv\n")
    workspace.run("git", "add", "--force", "old")
    workspace.run("git", "commit", "--quiet", "--message", "A file of stages that is none")
    workspace.run("git", "rm", "--quiet", "-r", "old")
    workspace.run("git", "commit", "--quiet", "--message", "Take it back")
    unused, version = put_back_in_time(workspace)
    before, artifacts = said(workspace), set((workspace / "mlartifacts").rglob("*"))
    for command in [command for command in commands if command.startswith("tidegate prune")]:
        done = workspace.tidegate(*command.split()[1:])
        assert "MLflow: 0 runs, 0 pages of 0 other runs, 0 models" in done.stdout  # all of them are young
    assert not recorded.exists() and not unused.exists() and version.exists() and tracked_there.exists()
    assert workspace.tidegate("prune", "--keep", "0m", "--dry-run").stdout.endswith("nothing is removed (--dry-run)\n")
    assert set((workspace / "mlartifacts").rglob("*")) == artifacts
    planned = json.loads(workspace.tidegate("prune", "--keep", "0m", "--dry-run", "--json").stdout)
    assert not planned["removed"] and planned["stores"][0]["removes"], planned
    removed = workspace.tidegate("prune", "--keep", "0m").stdout
    assert re.search(r"[1-9]\d* pages of \d other runs.*\n.*\n.*\nremoved\n", removed), removed
    assert set((workspace / "mlartifacts").rglob("*")) < artifacts
    assert workspace.tidegate("prune", "--keep", "0m").stdout.endswith("nothing to remove\n")
    assert said(workspace) == before
    workspace.tidegate("run", "--until", "2013-03-01", "--anew")  # its pages are gone, its decision is not
    assert len(said(workspace)["batches"]) == len(before["batches"])
    check_goes_on(workspace)
    refused = workspace.tidegate("prune", "--keep", "soon", check=False)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert "--keep: expected a number and" in refused.stderr


def test_of_a_history_that_git_does_not_know_nothing_is_removed(begun: Workspace, tmp_path: Path) -> None:
    workspace = begun.copy(tmp_path / "workspace")
    old = workspace.run("git", "rev-parse", "HEAD:data.dvc").stdout.strip()
    (workspace / "data.dvc").write_text((workspace / "data.dvc").read_text() + "\n")
    workspace.run("git", "commit", "--quiet", "--all", "--message", "Another text")
    (workspace / ".git/objects" / old[:2] / old[2:]).unlink()
    cache = sorted((workspace / ".dvc/cache").rglob("*"))
    refused = workspace.tidegate("prune", "--keep", "0m", check=False)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("error: git rev-list: expected the history of this folder, found ")
    assert old in refused.stderr and "repair what `git fsck` names" in refused.stderr
    assert sorted((workspace / ".dvc/cache").rglob("*")) == cache


def test_an_event_is_erased_and_who_holds_it_is_listed(workspace: Workspace) -> None:
    (command,) = (command for command in commands if command.startswith("tidegate erase"))
    frame = pd.read_parquet(workspace / "artifacts/validate/clean/flights.parquet")
    event = frame[frame["time_hour"] < "2013-01-20"].iloc[0]
    names = re.findall(r"--key (\w+)=", command)
    values = {**event[names], "time_hour": event["time_hour"].isoformat()}
    key = [word for name in names for word in ("--key", f"{name}={values[name]}")]
    said = workspace.tidegate("erase", *key, "--dry-run").stdout
    assert said.startswith("recordings: 0 rows of 0 files would be removed (--dry-run)\n")
    assert "held by data of the last run: 1 row of flights" in said
    assert re.search(r"held by version 1: it learned from 2013-01-\d\d to ", said)
    assert re.search(r"held by data [0-9a-f]{32}\S*: the batch of version \d ends after the event", said)
    refused = workspace.tidegate("erase", "--key", "flight=1", check=False)
    assert refused.returncode == 2 and refused.stderr.startswith("error: --key: expected --key time_hour=VALUE")
    assert refused.stderr.count("\n") == 1


def test_a_folder_is_no_file_and_another_file_no_copy(workspace: Workspace) -> None:
    for words in (("backup", "artifacts"), ("restore", "contract.yaml"), ("restore", "none.zip")):
        done = workspace.tidegate(*words, check=False)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert (workspace / "artifacts/gate").is_dir() and (workspace / "contract.yaml").is_file()
