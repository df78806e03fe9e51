"""Every step in the image as a cluster runs it: as nobody in particular, a read-only root, no network, any folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.durations import HANGING
from tests.images import docker
from tests.toy import flag_words

if TYPE_CHECKING:
    from tests.toy import World


def container(world: "World", image: str, step: str, *flags: str, **given: Any) -> list[str]:
    """The command that runs a step over the files of the small problem."""
    values = given if step == "pull" else world.flags(step, **given)
    words = flag_words(values)
    confined = ["--read-only", "--tmpfs", "/tmp", "--network", "none", "--cap-drop", "ALL"]
    files = [
        "--volume",
        f"{world.folder}:{world.folder}",
        "--env",
        f"MLFLOW_TRACKING_URI=sqlite:///{world / 'mlflow.db'}",
    ]
    return ["run", "--rm", *confined, *files, *flags, image, "tidegate", "step", step, *words]


def opened(world: "World") -> "World":
    """The same, for everybody to write to."""
    for path in (world.folder, *world.folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return world


def test_every_step_runs(world: "World", image: str) -> None:
    opened(world)
    for step in ("ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy"):
        docker(*container(world, image, step), seconds=300)
    assert world.json("verdict")["accepted"] and world.json("release")["promoted"]
    assert (world / "release.json").stat().st_uid == 10001


def test_pull_brings_the_data(world: "World", image: str) -> None:
    dvc = [sys.executable, "-m", "dvc"]
    for words in (["init", "--no-scm"], ["remote", "add", "-d", "here", "remote"], ["add", "data"], ["push"]):
        subprocess.run([*dvc, *words, "--quiet"], cwd=world.folder, check=True)
    (world / "pulled").mkdir()
    opened(world)
    texts = {
        "data_dvc": (world / "data.dvc").read_text(),
        "contract_yaml": "a",
        "features_sql": "b",
        "model_yaml": "c",
    }
    paths = {name: world / "pulled" / name for name in ("data", "contract", "sql", "estimator")}
    docker(*container(world, image, "pull", **texts, remote=world / "remote", **paths))
    for name in ("orders.csv", "rates.csv"):
        assert (world / "pulled/data" / name).read_bytes() == (world / "data" / name).read_bytes()
    assert [(world / "pulled" / name).read_text() for name in ("contract", "sql", "estimator")] == ["a", "b", "c"]


def test_sigterm_ends_a_step(world: "World", image: str) -> None:
    os.mkfifo(world / "pipe")
    opened(world)
    name = f"tidegate-test-{os.getpid()}"
    words = container(world, image, "ingest", "--init", "--name", name, contract=world / "pipe")
    with subprocess.Popen(["docker", *words], stderr=subprocess.DEVNULL) as step:
        while docker("kill", "--signal", "TERM", name, check=False).returncode:
            assert step.poll() is None
            time.sleep(0.1)  # it is about to start
        try:
            assert step.wait(timeout=HANGING) == 128 + signal.SIGTERM  # of itself it would wait for ever
        finally:
            docker("rm", "--force", name, check=False)


def test_what_memory_does_not_hold_is_spilled_where_it_may_be(image: str, tmp_path: Path) -> None:
    script = """
from pathlib import Path
from tidegate.tables.engine import engine
with engine(Path("/opt")) as connection:
    connection.execute("SET memory_limit = '60MB'")
    connection.execute("SET threads = 1")
    connection.execute("CREATE TABLE t AS SELECT i, md5(i::VARCHAR) m FROM range(3000000) r(i) ORDER BY m")
    print(sum(path.stat().st_size for path in Path("/tmp").glob(".spill-*/*")) > 10_000_000)
print(list(Path("/tmp").glob(".spill-*")))
"""
    flags = ["--rm", "--read-only", "--tmpfs", "/tmp", "--network", "none", "--workdir", "/"]
    assert docker("run", *flags, image, "python", "-c", script).stdout.splitlines()[-2:] == ["True", "[]"]
