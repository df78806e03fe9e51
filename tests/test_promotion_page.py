"""docs/promotion.md: its commands do what they say, in a workspace whose second version waits for a person."""

import json
import re
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from tests.workspaces import Workspace
from tidegate.documents.parameters import schema

root = Path(__file__).parents[1]
page = (root / "docs/promotion.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
CHANGES = {
    "params.yaml": {
        "approval: automatic": "approval: manual",
        "mode: auto": "mode: always",
        "margin: 0.0": "margin: 1.0",
    },
}
# Another version of Tidegate learns from other rows, and its lock is this environment.
OTHER = {
    "tidegate/components/train/__main__.py": {"lone).reset_index(": "lone).iloc[50:].reset_index("},
    "dist-info/METADATA": {f"\nVersion: {version('tidegate')}\n": "\nVersion: 99.1\n"},
}


def other_version(folder: Path) -> Path:
    """Tidegate 99.1 in a folder for PYTHONPATH; `wheelhouse` beside it holds the only package of its lock."""
    shutil.copytree(root / "tidegate", folder / "tidegate", ignore=shutil.ignore_patterns("__pycache__"))
    about = folder / "dist-info"
    about.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (about / name).write_text(distribution("tidegate").read_text(name) or "")
    for name, changes in OTHER.items():
        change(folder / name, changes)
    about.rename(folder / "tidegate-99.1.dist-info")
    wheel = this_environment(folder.parent / "wheelhouse")
    digest = sha256(wheel.read_bytes()).hexdigest()
    (folder / "tidegate/requirements-steps.txt").write_text(f"this_environment==1.0 --hash=sha256:{digest}\n")
    return folder


def this_environment(folder: Path) -> Path:
    """A wheel that lends the packages of this environment to another: to install them again takes minutes."""
    folder.mkdir()
    path, about = folder / "this_environment-1.0-py3-none-any.whl", "this_environment-1.0.dist-info"
    with ZipFile(path, "w") as archive:
        archive.writestr("this_environment.pth", f"{sysconfig.get_path('purelib')}\n")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: this_environment\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


def change(path: Path, changes: Mapping[str, str]) -> None:
    text = path.read_text()
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture(scope="module")
def workspace(new_workspace: Callable[[Path], Workspace], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Version 1 serves; version 2 waits for a person."""
    workspace = new_workspace(tmp_path_factory.mktemp("promotion"))
    workspace.environment["TIDEGATE_USER"] = "ann"
    workspace.tidegate("run")
    for name, changes in CHANGES.items():
        change(workspace / name, changes)
    told = workspace.tidegate("run", "--until", "2013-07-01").stdout
    assert "version 1: version 2 waits for `tidegate approve` or `reject`" in told
    return workspace


@pytest.fixture(scope="module")
def told(workspace: Workspace) -> dict[str, str]:
    """What each command of the page printed."""
    return {command: workspace.run(*shlex.split(command)).stdout for command in commands}


def test_a_version_waits_and_is_approved(told: dict[str, str]) -> None:
    assert re.search(r"^ 2 +2013-07-01 +1 +yes ", told["tidegate waiting"], re.MULTILINE)
    assert told[commands[1]] == "version 2 is champion\n"


def test_the_history_names_everything(workspace: Workspace, told: dict[str, str]) -> None:
    first, second = json.loads(told["tidegate history --json"])
    assert (first["kind"], first["from"], first["to"], first["serves"]) == ("promotion", None, "1", False)
    assert (second["kind"], second["from"], second["to"], second["serves"]) == ("approval", "1", "2", True)
    assert (second["who"], second["why"]) == ("ann", "approved: checked the slices by hand")
    assert second["data"] == first["data"] and second["data"].endswith(".dir")
    assert second["commit"] == first["commit"] and len(first["commit"]) == 40
    assert {"log_loss", "roc_auc"} <= set(second["metrics"]) and second["loss"] == second["metrics"]["log_loss"]
    assert first["data"][:8] in told["tidegate history"] and "ann" in told["tidegate history"]
    found = (workspace / "artifacts/history.html").read_text()
    assert '2<span class="small good">serves</span>' in found
    assert found.count("<polyline") == 2 and len(found) < 300_000
    assert "://" not in found.replace("http://www.w3.org", "") and "prefers-color-scheme" in found


def test_after_the_rollback_the_loop_leaves_it(workspace: Workspace, told: dict[str, str]) -> None:
    assert told['tidegate rollback --reason "complaints from the desk"'] == "version 1 is champion\n"
    assert "version 2 is rejected" in told['tidegate reject 2 --reason "it forgets the evening flights"']
    workspace.tidegate("run")
    workspace.run("dvc", "repro", "--force", "--single-item", "deploy")
    rows = json.loads(workspace.tidegate("history", "--json").stdout)
    assert [row["to"] for row in rows] == ["1", "2", "1"] and rows[-1]["serves"]
    assert "none waits" in workspace.tidegate("waiting").stdout
    release = json.loads((workspace / "artifacts/deploy/release.json").read_text())
    assert release["reason"] == "ann rejected: it forgets the evening flights" and release["champion"] == "1"
    assert "ann rejected: it forgets the evening flights, it stays" in workspace.tidegate("run").stdout


def test_the_lineage_goes_down_to_the_files(workspace: Workspace, told: dict[str, str]) -> None:
    found = json.loads(told["tidegate lineage 1 --json"])
    manifest = json.loads((workspace / "artifacts/ingest/manifest.json").read_text())
    assert found["made_from"]["data"] == {"version": manifest["data"], "md5": manifest["files"]}
    assert len(found["made_from"]["problem"]) == 3 and not found["verdict"]["champion"]
    assert found["led_to"]["challengers"] == [{"version": "2", "accepted": True}]
    assert [term["replaced_by"] for term in found["led_to"]["served"]] == ["2", None]
    for word in (*manifest["files"].values(), *found["made_from"]["problem"].values(), found["model"]):
        assert word in told["tidegate lineage 1"]
    picture = (workspace / "lineage.svg").read_text()
    texts = [
        element.text or "" for element in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert {"flights.csv", "weather.csv", "features.sql", "flights version 1"} <= set(texts)


def test_the_card_is_whole(workspace: Workspace, told: dict[str, str]) -> None:
    card = told["tidegate card 1 --page card.html"]
    titles = ["Purpose", "Data", "Model", "Metrics", "Slices", "Limits", "Lineage"]
    assert re.findall(r"^## (.*)$", card, re.MULTILINE) == titles
    assert "Will a scheduled flight out of New York arrive 15 or more minutes late?" in card
    assert re.search(r"^\| challenger \| 0\.\d{4} \|", card, re.MULTILINE) and re.search(
        r"^\| .*EWR", card, re.MULTILINE
    )
    html = (workspace / "card.html").read_text()
    assert all(f"<h2>{title}</h2>" in html for title in titles) and len(html) < 300_000


def test_a_version_is_reproduced_from_its_record_alone(workspace: Workspace, told: dict[str, str]) -> None:
    line, *more = told["tidegate reproduce 1"].splitlines()
    model = json.loads(told["tidegate lineage 1 --json"])["model"]
    assert ": the same model (" in line and model in line and more == []


@pytest.fixture(scope="module")
def by_another(workspace: Workspace, told: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The same, with one version more, which another Tidegate made."""
    folder = tmp_path_factory.mktemp("other")
    copy = workspace.copy(folder / "workspace")
    copy.environment["PYTHONPATH"] = str(other_version(folder / "installed"))
    copy.tidegate("run", "--until", "2013-06-01")
    del copy.environment["PYTHONPATH"]
    environment = json.loads((copy / "artifacts/train/record.json").read_text())["environment"]
    assert environment["tidegate"] == "99.1"
    return copy


def newest(workspace: Workspace) -> str:
    """The version that was registered last."""
    return str(json.loads((workspace / "artifacts/deploy/release.json").read_text())["version"])


def test_another_version_of_tidegate_is_installed_from_the_registry(by_another: Workspace) -> None:
    wheelhouse, version = by_another.folder.parent / "wheelhouse", newest(by_another)
    done = by_another.tidegate("reproduce", version, "--json", "--wheelhouse", str(wheelhouse))
    found = json.loads(done.stdout)
    assert found["same"] and "installing tidegate-99.1-py3-none-any.whl" in done.stderr
    by_venv = {"packages.pip", "packages.setuptools"}  # which come before those of the wheelhouse's environment
    assert {row["what"] for row in found["differs"]} - by_venv == {"packages.this-environment"}
    (wheelhouse / "this_environment-1.0-py3-none-any.whl").write_bytes(b"altered")
    done = by_another.tidegate("reproduce", version, "--wheelhouse", str(wheelhouse), check=False)
    assert done.returncode == 2 and "error: the lock of tidegate-99.1-py3-none-any.whl: expected" in done.stderr


def test_what_cannot_be_reproduced_is_a_table_of_what_differs(by_another: Workspace) -> None:
    words = ("reproduce", newest(by_another), "--json", "--python", sys.executable)
    done = by_another.tidegate(*words, check=False)
    assert done.returncode == 2 and f"error: version {newest(by_another)}: expected sha256:" in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    differs = {row["what"]: (row["recorded"], row["again"]) for row in found["differs"]}
    assert not found["same"] and differs["environment.tidegate"] == ("99.1", version("tidegate"))
    assert differs["rows"][1] - differs["rows"][0] == 50 and found["train_loss"]["difference"] != 0


@pytest.mark.parametrize("word", ["approve", "reject", "lineage", "card", "reproduce"])
def test_a_version_that_is_not_there_is_one_line(workspace: Workspace, word: str) -> None:
    more = ["--reason", "x"] if word in ("approve", "reject") else []
    done = workspace.tidegate(word, "77", *more, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: flights version 77: expected a registered version, found none; ")


def test_every_approval_is_explained() -> None:
    allowed = schema()["properties"]["deploy"]["properties"]["approval"]["enum"]
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == allowed
