"""Workspaces for whole-suite tests: the problem of this repository with a slice of the sample, in its own folder."""

import inspect
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb
import hypothesis
import pytest
from threadpoolctl import threadpool_limits

from tests import images, reliability, tiers, toy, workspaces
from tests.servers.programs import postgres
from tests.workspaces import PROBLEM, Workspace
from tests.worlds import once
from tidegate.commands.loop.sample import copy_sample
from tidegate.documents.formats import read_json, write_json
from tidegate.pipelines import kubeflow

ROOT = Path(__file__).parents[1]
# A turn fits the model seven times and predicts with it a hundred times.
FEWER_TREES = {"learning_rate: 0.06": "learning_rate: 0.3", "max_iter: 150": "max_iter: 20"}


def stack(context: int = 0) -> list[inspect.FrameInfo]:
    """The stack without its source text, for `inspect.stack`.

    kfp asks it for the caller's name at every setting of a task: below a test, where the stack is deep, and with all
    that is imported here, reading the text made compiling a pipeline take seconds.
    """
    found: list[inspect.FrameInfo] = []
    frame: FrameType | None = sys._getframe(1)
    while frame:
        code = frame.f_code
        found.append(inspect.FrameInfo(frame, code.co_filename, frame.f_lineno, code.co_name, None, None))
        frame = frame.f_back
    return found


inspect.stack = stack
hypothesis.settings.register_profile("tidegate", deadline=None)  # an example that took long on a busy machine is right
hypothesis.settings.load_profile("tidegate")
threadpool_limits(1, user_api="blas")  # as a step has, which imports ours before NumPy


def pytest_configure(config: pytest.Config) -> None:
    """Which tests run, and what is told of them."""
    workspaces.of_the_run.update(getattr(config, "workerinput", {}).get("fork_servers", {}))
    config.pluginmanager.register(tiers)
    config.pluginmanager.register(toy)
    config.pluginmanager.register(reliability)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The processes of a run have their forks from the same servers."""
    node.workerinput["fork_servers"] = workspaces.fork_servers()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The training pipeline as Kubeflow's intermediate representation."""
    made = once(tmp_path_factory, "compiled", lambda folder: write_json(folder / "ir.json", kubeflow.ir()))
    found: dict[str, Any] = read_json(made / "ir.json")
    return found


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of the repository, as working directory."""
    monkeypatch.chdir(ROOT)
    return ROOT


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's raw files, whole."""
    return once(tmp_path_factory, "sample", lambda folder: copy_sample(folder / "data")) / "data"


@pytest.fixture(scope="session")
def sample_slice(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every fourth flight number of January to June, the weather of those months, all aircraft."""

    def build(folder: Path) -> None:
        shutil.copyfile(sample / "planes.csv", folder / "planes.csv")
        with duckdb.connect() as connection:
            for name, rows in {
                "flights": "month::INTEGER <= 6 AND flight::INTEGER % 4 = 0",
                "weather": "month::INTEGER <= 6",
            }.items():
                connection.execute(
                    f"COPY (SELECT * FROM read_csv('{sample / name}.csv', all_varchar = true, header = true) "
                    f"WHERE {rows}) TO '{folder / name}.csv' (HEADER, NULLSTR 'NA')"
                )

    return once(tmp_path_factory, "slice", build)


@pytest.fixture(scope="session")
def begun(sample_slice: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which nothing has run; read it, copy it, leave it as it is."""

    def build(folder: Path) -> None:
        for name in PROBLEM:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        for slow, fast in FEWER_TREES.items():
            text = (folder / "model.yaml").read_text()
            assert slow in text
            (folder / "model.yaml").write_text(text.replace(slow, fast))
        shutil.copytree(sample_slice, folder / "data")
        workspace = Workspace(folder)
        workspace.run("git", "init", "--quiet")
        workspace.run("dvc", "add", "--quiet", "data")
        workspace.run("git", "add", "--all")
        workspace.run("git", "commit", "--quiet", "--message", "Begin")

    return Workspace(once(tmp_path_factory, "begun", build))


@pytest.fixture(scope="session")
def new_workspace(begun: Workspace) -> Callable[[Path], Workspace]:
    """Makes a workspace: the problem of this repository, committed, with the slice as its data."""
    return begun.copy


@pytest.fixture(scope="session")
def turned_once(begun: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace after one turn of the loop, February; read it, copy it, leave it as it is."""
    return Workspace(once(tmp_path_factory, "turned", lambda folder: begun.copy(folder).tidegate("run")))


@pytest.fixture(scope="session")
def walked(turned_once: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace after three turns of the loop: February, March, June; read it, copy it, leave it as it is."""

    def build(folder: Path) -> None:
        workspace = turned_once.copy(folder)
        for until in ("2013-03-01", "2013-04-01", "2013-07-01"):
            if until != "2013-03-01":
                workspace.tidegate("run", "--until", until)
            workspace.run("git", "add", "--all")
            workspace.run("git", "commit", "--quiet", "--message", f"Run until {until}")

    return Workspace(once(tmp_path_factory, "walked", build))


@pytest.fixture
def workspace(walked: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the walked workspace to do things to."""
    return walked.copy(tmp_path / "workspace")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, and nothing in them."""
    from tidegate.tracking import database

    return once(tmp_path_factory, "migrated", lambda folder: database.migrate(folder / "mlflow.db")) / "mlflow.db"


@pytest.fixture
def postgres_server() -> Iterator[str]:
    """The connection string of a Postgres server of the test's own."""
    with postgres() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def image() -> str:
    """The image of the steps, built from these files."""
    return images.build().steps


@pytest.fixture(scope="session")
def server_image() -> str:
    """The image of the server, built from these files."""
    return images.build().server


@pytest.fixture
def engine_of_containers() -> None:
    """An engine that runs containers."""
    images.needs_docker()


@pytest.fixture
def rounds(record_property: Callable[[str, object], None]) -> Callable[..., int]:
    """How many rounds a test makes: the first number, or the second but in `make test-long`; it is written down."""

    def chosen(count: int, usual: int | None = None) -> int:
        number = count if usual is None else tiers.large(count, usual)
        record_property("rounds", number)
        return number

    return chosen
