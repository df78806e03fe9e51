"""DVC itself runs the rendered stages, with stand-ins for the steps: the gate shut, open, shut and open again."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tidegate.documents.formats import parse_yaml, read_json
from tidegate.pipelines import dvc

ROOT = Path(__file__).parents[2]
BEFORE = ["ingest", "validate", "featurize", "gate"]
BEHIND = ["train", "evaluate", "deploy"]
STAND_IN = '''\
"""Writes every output, and notes which of them it found."""

from pathlib import Path

from tidegate.documents.formats import replacing, write_json, write_parameter
from tidegate.process.command import Output, OutputFolder


def {step}({arguments}):
    ports = {{name: value for name, value in locals().items() if str(value).startswith("artifacts/{step}/")}}
    with open("ran.log", "a") as log:
        print("{step}", sum(path.exists() for path in ports.values()), len(ports), file=log)
    for port, path in ports.items():
        if port == "retrain":
            write_parameter(path, mode == "always")
        elif port == "decision":
            write_json(path, {{"retrain": mode == "always"}})
        elif path.suffix:
            write_json(path, {{"until": {until}}})
        else:
            with replacing(path) as folder:
                write_json(folder / "table.json", {{}})
'''
CODE = "installed/tidegate/components"


def stand_in(step: str) -> str:
    """A step of the same signature that does no work."""
    tree = ast.parse((ROOT / "components" / step / "__main__.py").read_text())
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == step)
    until = "until" if step == "ingest" else "''"
    return STAND_IN.format(step=step, arguments=ast.unparse(function.args), until=until)


class World:
    """A repository with a DVC of its own and stand-ins for the steps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "installed"),
            "DVC_NO_ANALYTICS": "1",
            "DVC_GLOBAL_CONFIG_DIR": str(folder / "nowhere"),
            "DVC_SYSTEM_CONFIG_DIR": str(folder / "nowhere"),
            "DVC_SITE_CACHE_DIR": str(folder / "site"),
        }

    def run(self, *words: str) -> str:
        """What a command prints; it must not fail."""
        done = subprocess.run(
            words, check=False, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def dvc(self, *words: str) -> str:
        """What a `dvc` command prints."""
        return self.run(sys.executable, "-m", "dvc", *words)

    def repro(self, mode: str) -> list[str]:
        """The steps that run when the gate is set to `mode`, as `step found/all outputs`."""
        parameters = (ROOT / "params.yaml").read_text().replace("mode: auto", f"mode: {mode}")
        (self.folder / "params.yaml").write_text(parameters)
        log = self.folder / "ran.log"
        log.write_text("")
        self.dvc("repro", "-q")
        return ["{} {}/{}".format(*line.split()) for line in log.read_text().splitlines()]

    def skipped(self) -> list[str]:
        """The steps whose JSON outputs say that they were skipped."""
        documents = sorted((self.folder / "artifacts").rglob("*.json"))
        return sorted({path.relative_to(self.folder).parts[1] for path in documents if "skipped" in read_json(path)})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, compiled: dict[str, Any]) -> World:
    """The rendered dvc.yaml among stand-ins, nothing run yet."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copytree(ROOT / "tidegate", folder / "installed/tidegate", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BEFORE + BEHIND:
        shutil.rmtree(folder / CODE / name)
        (folder / CODE / name).mkdir()
        (folder / CODE / name / "__main__.py").write_text(stand_in(name))
    (folder / "data").mkdir()
    (folder / "data" / "rows.csv").write_text("a\n1\n")
    for name in ("contract.yaml", "features.sql", "model.yaml"):
        (folder / name).touch()
    shutil.copy(ROOT / "params.yaml", folder)
    (folder / ".dvcignore").write_text("__pycache__\n/installed\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "dvc.yaml").write_text(dvc.render(compiled))
    world = World(folder)
    world.run("git", "init", "-q")
    world.dvc("init", "-q")
    world.dvc("add", "-q", "data")
    return world


def test_dvc_lists_and_draws_the_stages_in_their_order(world: World) -> None:
    assert world.dvc("stage", "list", "--name-only").split() == ["code", *BEFORE, *BEHIND]
    drawn = world.dvc("dag", "--mermaid")
    assert all(f'["{name}"]' in drawn for name in ["code", *BEFORE, *BEHIND, "data.dvc"])


def test_the_gate_shut_open_shut_and_open_again(world: World) -> None:
    assert world.repro("never") == ["ingest 0/2", "validate 0/4", "featurize 0/2", "gate 0/6"]
    assert world.skipped() == sorted(BEHIND)
    assert world.repro("never") == []

    # Outputs of a skipped stage give way, and nobody deletes earlier ones: every step finds what it wrote last time.
    assert world.repro("always") == ["gate 6/6", "train 4/4", "evaluate 4/4", "deploy 1/1"]
    assert world.skipped() == []
    assert [path.name for path in (world.folder / "artifacts/train/reference").iterdir()] == ["table.json"]
    shown = json.loads(world.dvc("metrics", "show", "--json"))
    assert sorted(shown[""]["data"]) == ["artifacts/evaluate/metrics.json", "artifacts/gate/signals.json"]

    assert world.repro("never") == ["gate 6/6"]
    assert world.skipped() == sorted(BEHIND)

    # DVC has seen exactly these inputs; its run cache must not replay a step that changes the registry.
    assert world.repro("always") == ["gate 6/6", "train 4/4", "evaluate 4/4", "deploy 1/1"]


def test_what_was_used_is_locked(world: World) -> None:
    locked = parse_yaml((world.folder / "dvc.lock").read_text(), "dvc.lock")["stages"]
    assert locked["ingest"]["params"]["params.yaml"] == {"ingest.batch_days": 28, "ingest.until": "2013-03-01"}
    assert "until" not in locked["ingest"]["cmd"]
    assert read_json(world.folder / "artifacts/ingest/manifest.json") == {"until": "2013-03-01"}


def test_a_change_of_one_step_concerns_that_step(world: World) -> None:
    assert world.repro("always") == []
    path = world.folder / CODE / "train/__main__.py"
    path.write_text(stand_in("train") + "# another comment\n")
    assert list(json.loads(world.dvc("status", "--json"))) == ["code"]  # which always runs, and then tells
    assert world.repro("always") == ["train 4/4"]
    path = world.folder / CODE.replace("components", "documents/formats.py")
    path.write_text(path.read_text() + "# another comment\n")
    assert [line.split()[0] for line in world.repro("always")] == BEFORE + BEHIND


def test_a_step_that_is_run_alone_notices_that_its_code_changed(world: World) -> None:
    path = world.folder / CODE / "train/__main__.py"
    path.write_text(path.read_text() + "# yet another comment\n")
    words = [sys.executable, "-m", "dvc", "repro", "--single-item", "--force", "train"]
    done = subprocess.run(words, check=False, cwd=world.folder, env=world.environment, capture_output=True, text=True)
    assert done.returncode and "error: artifacts/code/train: expected the digest of this code" in done.stderr
    assert world.repro("always") == ["train 4/4"]
