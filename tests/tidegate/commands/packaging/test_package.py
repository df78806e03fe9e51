"""A packaged version: built offline and installed where no Tidegate is, it predicts what the loop predicts."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.images import base, docker, needs_docker
from tidegate.commands.packaging import folder
from tidegate.commands.packaging.requirements import cut, pinned
from tidegate.commands.predict import loaded
from tidegate.process.errors import InputError

if TYPE_CHECKING:
    from tests.toy import World

EVENT = ["at", "id", "shop", "price"]
LENT = """\
import sys
sys.path.append({site!r})
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tidegate", "mlflow", "dvc", "kfp"):
            raise ImportError(name)
sys.meta_path.insert(0, Absent())
"""

LOCK = """\
a==1 \\
    --hash=1
    # via b
b==2 \\
    --hash=2
c==3 ; python_version > '3' \\
    --hash=3
    # via
    #   -c x
    #   a
d==1 \\
    --hash=4
"""


@pytest.fixture
def packaged(released: "World") -> Path:
    """The champion of the small problem as a package."""
    assert folder.write(loaded("toy", "1", ""), released / "package") == "toy_model"
    return released / "package"


@pytest.fixture
def asked(released: "World") -> Any:
    """The events of the batch in another order, with what the loop predicts; the tables hold none of them."""
    champion = loaded("toy", "1", "")
    features = released.table("features/features")
    features = features.assign(prediction=np.asarray(champion.predict(features)))[features["split"] == "batch"]
    orders = released.table("clean/orders")
    orders[orders["at"] < features["at"].min()].to_parquet(released / "clean/orders.parquet")
    rows: Any = orders[EVENT].merge(features[["id", "prediction"]], on="id").sample(frac=1, random_state=0)
    rows[EVENT].to_parquet(released / "events.parquet", index=False)
    return rows


def installed(package: Path, place: Path) -> Path:
    """The Python of a new environment with the wheel of the package: it is lent the libraries, and no Tidegate."""
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*words, "--wheel-dir", str(place / "dist"), str(package)], check=True)
    (wheel,) = (place / "dist").iterdir()
    venv.create(place / "venv", with_pip=True)
    python = place / "venv/bin/python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(place / "venv")}))
    (site / "lent.py").write_text(LENT.format(site=sysconfig.get_path("purelib")))
    (site / "lent.pth").write_text("import lent\n")
    return python


def run(python: Path, where: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the package's command."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(python), "-m", "toy_model", "predict", *words]
    return subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)


def test_its_wheel_predicts_the_same_without_tidegate(
    packaged: Path, released: "World", asked: Any, tmp_path: Path
) -> None:
    python = installed(packaged, tmp_path)
    found = subprocess.run([str(python), "-c", "import tidegate"], capture_output=True, check=False, cwd=tmp_path)
    assert found.returncode != 0
    done = run(python, released.folder, "events.parquet", "out.parquet")
    assert done.returncode == 0, done.stderr
    answer = pd.read_parquet(released / "out.parquet")
    assert [*answer] == [*EVENT, "prediction", "model_version", "predicted_at"]
    assert answer["id"].tolist() == asked["id"].tolist()
    assert answer["prediction"].tolist() == asked["prediction"].tolist() and len(answer) == 336
    asked[EVENT].to_csv(released / "events.csv", index=False)
    assert run(python, released.folder, "events.csv", "out.csv", "--tables", "clean").returncode == 0
    assert pd.read_csv(released / "out.csv", float_precision="round_trip")["prediction"].tolist() == [
        *answer["prediction"]
    ]
    _check_refusals(python, released, asked)


def _check_refusals(python: Path, world: "World", asked: Any) -> None:
    rows = asked[EVENT].head(3).astype(object)
    for changed, message in (
        (rows.assign(price=[1, 2000, 3]), "row 2: price: expected 0 to 1000, found another value"),
        (rows.assign(price=["x", 2, 3]), "row 1: price: expected a number, found another value"),
        (rows.drop(columns="shop"), "found no shop"),
        (pd.concat([rows, rows[:1]]), "found 1 twice"),
    ):
        changed.to_csv(world / "bad.csv", index=False)
        done = run(python, world.folder, "bad.csv", "bad-out.csv")
        assert done.returncode == 1 and message in done.stderr and done.stderr.count("\n") == 1, done.stderr
        assert not (world / "bad-out.csv").exists()
    done = run(python, world.folder, "events.parquet", "bad-out.csv", "--tables", "nowhere")
    assert "expected the clean table orders.parquet, found nothing" in done.stderr
    site = Path(sysconfig.get_path("purelib", vars={"base": str(python.parents[1])}))
    for name in folder.FILES:
        path = site / "toy_model" / name
        before = path.read_bytes()
        path.write_bytes(before + b" ")
        done = run(python, world.folder, "events.parquet", "bad-out.csv")
        assert done.returncode == 1 and f"{name}: expected the packaged file" in done.stderr
        path.write_bytes(before)


def test_the_folder_is_whole_and_replaces_nothing(packaged: Path, released: "World") -> None:
    names = {path.relative_to(packaged).as_posix() for path in packaged.rglob("*") if path.is_file()}
    own = {*folder.MODULES, *folder.FILES, "digests.json"}
    beside = {*folder.TEXTS, "requirements.txt", "requirements-build.txt"}
    assert names == beside | {f"toy_model/{name}" for name in own}
    texts = "".join((packaged / name).read_text() for name in (*beside, "toy_model/contract.json"))
    assert "customer" not in texts and "$" not in (packaged / "pyproject.toml").read_text()
    with pytest.raises(InputError, match="expected a new or an empty folder, found one with files"):
        folder.write(loaded("toy", "1", ""), packaged)
    (released / "empty").mkdir()
    assert folder.write(loaded("toy", "1", ""), released / "empty") == "toy_model"


def test_the_lock_is_cut_to_what_it_needs(packaged: Path) -> None:
    text = (packaged / "requirements.txt").read_text()
    entries = pinned(text, [line.partition("==")[0] for line in text.splitlines() if "==" in line])
    names = {entry.partition("==")[0] for entry in entries}
    assert {*folder.LIBRARIES, "scipy", "joblib", "threadpoolctl", "python-dateutil"} <= names
    assert not names & {"mlflow", "dvc", "evidently", "boto3", "fsspec"} and "#" not in text
    assert all("--hash=sha256:" in block for block in text.split("\n") if block.startswith("    "))
    assert (
        cut(LOCK, ["b"])
        == "a==1 \\\n    --hash=1\nb==2 \\\n    --hash=2\nc==3 ; python_version > '3' \\\n    --hash=3\n"
    )


@pytest.mark.parametrize(
    ("problem", "name"),
    [("flights", "flights_model"), ("Ü 1 x", "model_1_x"), ("2 fast!", "model_2_fast"), ("é", "model")],
)
def test_its_name_is_one_of_python(problem: str, name: str) -> None:
    assert folder.package_name(problem) == name


@pytest.mark.containers
def test_its_dockerfile_builds_and_runs_as_nobody(packaged: Path, released: "World", asked: Any) -> None:
    needs_docker()
    build = ["build", "--network", "host", "--build-arg", f"BASE_IMAGE={base()}", "--build-arg", "PIP_INDEX_URL"]
    docker(*build, "--tag", "tidegate/test-package:latest", str(packaged), seconds=600)
    (released / "out").mkdir(mode=0o777)
    (released / "out").chmod(0o777)
    flags = ["--rm", "--network", "none", "--volume", f"{released.folder}:/work", "--workdir", "/work"]
    docker("run", *flags, "tidegate/test-package:latest", "predict", "events.parquet", "out/answer.parquet")
    answer = pd.read_parquet(released / "out/answer.parquet")
    assert answer["prediction"].tolist() == asked["prediction"].tolist()
    script = "import os; from importlib.util import find_spec as f; print(os.getuid(), f('tidegate'), f('pip'))"
    said = docker("run", "--rm", "--entrypoint", "python", "tidegate/test-package:latest", "-c", script).stdout
    assert said == "10001 None None\n"
