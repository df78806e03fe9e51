"""docs/cluster.md: no cluster is needed to see that what it names is there and that its commands exist."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.k8s.manifests import OVERLAYS, rendered
from tests.workspaces import Workspace

root = Path(__file__).parents[1]
page = (root / "docs/cluster.md").read_text()
blocks = re.findall(r"^ *```sh\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)
commands = [line.strip() for block in blocks for line in block.splitlines()]
generated = {"k8s/secrets.env", "k8s/secrets.json"}
others = {"deployment/ml-pipeline", "service/ml-pipeline", "deployment/workflow-controller"}  # Kubeflow's own


def starting(*words: str) -> list[str]:
    """The commands that begin with one of these words."""
    return [command for command in commands if command.split()[0] in words]


def test_it_is_about_the_whole_way() -> None:
    assert {"make secrets", "kubectl apply -k k8s/overlays/local", "kubectl delete -k k8s/overlays/local"} <= set(
        commands
    )


def test_every_command_is_one_that_is_looked_at() -> None:
    assert set(commands) == set(starting("make", "tidegate", "kubectl", "kind", "dvc", "export", "."))


@pytest.mark.parametrize("target", sorted({command.split()[1] for command in starting("make")}))
def test_every_target_of_make_is_there(target: str) -> None:
    found = subprocess.run(["make", "--dry-run", target], cwd=root, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("command", starting("tidegate"))
def test_every_flag_of_tidegate_is_there(command: str) -> None:
    words = command.split("#")[0].split()[1:]
    names = [word for word in words if re.fullmatch(r"[a-z]+", word)]
    found = Workspace(root).tidegate(*names, "--help")
    assert all(word in found.stdout for word in words if word.startswith("--"))


def test_every_file_is_there_or_made_on_the_way() -> None:
    named = set(re.findall(r"(?<![\w/.])((?:k8s|pipelines|docs)/[\w./-]*\w)", page))
    assert generated <= named
    assert {name for name in named - generated if not (root / name).exists()} == set()


@pytest.mark.tools
@pytest.mark.parametrize("command", [line for line in starting("kubectl") if re.search(r" [a-z]+/[a-z-]+", line)])
def test_every_object_is_one_that_is_rendered(command: str) -> None:
    ((kind, name),) = re.findall(r" ([a-z]+)/([a-z-]+)", command)
    (namespace,) = re.findall(r"-n (\S+)", command)
    known = {
        (item["metadata"].get("namespace"), item["kind"].lower(), item["metadata"]["name"])
        for overlay in OVERLAYS
        for item in rendered(overlay)
    }
    assert f"{kind}/{name}" in others or (namespace, kind, name) in known


@pytest.mark.tools
def test_every_account_and_every_edge_that_it_names_is_rendered() -> None:
    names = {item["metadata"]["name"] for item in rendered("local")}
    assert set(re.findall(r"`(tidegate-[a-z-]+)`", page)) <= names


def test_a_first_run_needs_no_check_left_out() -> None:
    assert {"tidegate doctor", "tidegate submit --wait"} <= set(commands) and "--unchecked" not in page
