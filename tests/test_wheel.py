"""The wheel that `make wheel` builds: complete, and enough to begin and run a problem in an environment of its own."""

import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_init import plants, write
from tests.worlds import once
from tidegate.process import code
from tidegate.process.wheel import packed

root = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What setuptools makes of the files that git knows."""

    def build(folder: Path) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=root, capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        for name in listed:
            source, target = root / name, folder / "source" / name
            if not name.startswith("tests/") and (source.is_file() or source.is_symlink()):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*build, "--wheel-dir", "dist", "./source"], cwd=folder, check=True)

    (found,) = (once(tmp_path_factory, "wheel", build) / "dist").iterdir()
    return found


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tidegate` of an environment that has this wheel, and is lent the packages of the one of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True)
    place = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (place / "lent.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / "bin/tidegate"


def names(content: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name for name in archive.namelist() if not name.startswith("tidegate-")}


def test_it_holds_all_of_the_package_and_nothing_beside(wheel: Path) -> None:
    found = names(wheel.read_bytes())
    assert found == names(packed().content)
    assert {name.partition("/")[0] for name in found} == {"tidegate"}
    files = ("py.typed", "requirements-steps.txt", "commands/draft/stages.yaml", "contract/contract.schema.json")
    for name in (*files, "pages/page.html", "manifests/base/tasks/run.yaml", "components/gate/report.html"):
        assert f"tidegate/{name}" in found


def test_what_is_kept_of_a_version_can_be_installed(tmp_path: Path) -> None:
    kept = tmp_path / packed().name
    kept.write_bytes(packed().content)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", "there"]
    subprocess.run([*install, str(kept)], cwd=tmp_path, check=True)
    files = [path for path in (tmp_path / "there/tidegate").rglob("*") if path.suffix == ".py"]
    assert len(files) > 100 and (tmp_path / "there/bin/tidegate").is_file()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder of a person, who has modules of these names there."""
    for name in ("tidegate.py", "components.py", "pipelines.py"):
        (tmp_path / name).write_text("raise SystemExit('shadowed')\n")
    yield tmp_path


def test_a_problem_begins_and_runs(program: Path, folder: Path) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MLFLOW_", "DVC_"))},
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }

    def run(*words: str, where: Path) -> str:
        done = subprocess.run(words, cwd=where, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    python = str(program.with_name("python"))
    where = run(python, "-P", "-c", "import tidegate; print(tidegate.__file__)", where=folder)
    assert Path(where.strip()).is_relative_to(program.parents[1])
    file = write(plants(), folder / "plants.csv")
    run("tidegate", "init", "new", "--data", file.name, "--label", "kind", "--time", "at", where=folder)
    problem = folder / "new"
    assert {path.name for path in problem.iterdir()} == {
        *("contract.yaml", "features.sql", "model.yaml", "params.yaml", "data.dvc", "dvc.yaml", "data", "README.md"),
        *(".git", ".dvc", ".gitignore", ".dvcignore"),
    }
    assert "promoted by this batch" in run("tidegate", "run", where=problem)
    assert json.loads(run("tidegate", "status", "--json", where=problem))["champion"]["to"] == "1"
    shutil.copytree(program.parents[1], problem / ".venv", symlinks=True)  # as many people keep it
    assert json.loads(run("tidegate", "status", "--json", where=problem))["to_do"] == []
    listed = run("tidegate", "code", "--list", where=problem)
    assert listed.splitlines() == [f"{name}={code.digest(name)}" for name in code.STEPS]
    run("tidegate", "upgrade", "--cluster", "--write", where=problem)
    run("tidegate", "compile", "--output", "training.yaml", "--image", "example.org/steps:1", where=problem)
    run("tidegate", "manifests", "k8s", where=problem)
    assert (problem / "k8s/overlays/local/kustomization.yaml").is_file()
    run("python", "-m", "k8s.passwords", "local", where=problem)
    assert (problem / "k8s/secrets.json").is_file()
    assert "secrets.json" not in run("git", "status", "--short", "--untracked-files=all", where=problem)
