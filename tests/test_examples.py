"""The examples: two problems in one git repository, with one tracking store, that run at once and never mix."""

import json
import re
import shlex
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.workspaces import Workspace

root = Path(__file__).parents[1]
EXAMPLES = ("temperature", "wind")


def commands(name: str) -> list[str]:
    """What the example's README says to do."""
    text = (root / "examples" / name / "README.md").read_text()
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Workspace]:
    """Both, after the commands of their pages, each command of one at the same time as that of the other."""
    folder = tmp_path_factory.mktemp("repository")
    ignored = shutil.ignore_patterns("data", "artifacts", "mlartifacts", "mlflow.db*", "dvc.lock", "tmp", "cache")
    found = {}
    for name in EXAMPLES:
        shutil.copytree(root / "examples" / name, folder / name, ignore=ignored)
        found[name] = Workspace(folder / name)
        found[name].environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
    repository = Workspace(folder)
    for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "Begin")):
        repository.run("git", *words)
    with ThreadPoolExecutor() as both:
        for pair in zip(*map(commands, EXAMPLES), strict=True):
            lines = dict(zip(EXAMPLES, pair, strict=True))
            running = [both.submit(found[name].run, *shlex.split(line)) for name, line in lines.items()]
            for one in running:
                one.result()
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_has_its_own_champions(problems: dict[str, Workspace], name: str) -> None:
    history = json.loads(problems[name].tidegate("history", "--json").stdout)
    assert [row["to"] for row in history] == [str(number + 1) for number in range(len(history))] and history
    batches = json.loads(problems[name].tidegate("batches", "--json").stdout)
    assert len(batches) == 2
    (other,) = {*EXAMPLES} - {name}
    theirs = json.loads(problems[other].tidegate("batches", "--json").stdout)
    assert not {row["batch"] for row in batches} & {row["batch"] for row in theirs}


def test_nothing_in_the_registry_belongs_to_both(problems: dict[str, Workspace]) -> None:
    with closing(sqlite3.connect(problems["wind"].folder.parent / "mlflow.db")) as connection:
        models = {name for (name,) in connection.execute("SELECT name FROM registered_models")}
        aliases = connection.execute("SELECT name, alias FROM registered_model_aliases").fetchall()
        experiments = {name for (name,) in connection.execute("SELECT name FROM experiments")}
    assert {name.partition(".")[0] for name in models} == set(EXAMPLES)
    assert sorted(aliases) == [(name, "champion") for name in EXAMPLES]
    assert set(EXAMPLES) <= experiments


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_pages_of_one_do_not_know_the_other(problems: dict[str, Workspace], name: str) -> None:
    problem = problems[name]
    problem.tidegate("review", "--no-open")
    problem.tidegate("history", "--page")
    (other,) = {*EXAMPLES} - {name}
    paths = [path for path in (problem / "artifacts").rglob("*.html") if path.name != "evidently.html"]
    pages = {path: path.read_text() for path in paths}
    assert len(pages) > 4
    assert [path for path, text in pages.items() if re.search(rf"<title>{other}", text)] == []
    assert [path for path, text in pages.items() if re.search(rf"<title>{name}", text)] != []


def test_what_is_committed_is_of_this_version() -> None:
    for name in EXAMPLES:
        problem = root / "examples" / name
        assert (problem / "dvc.yaml").read_text() == (root / "dvc.yaml").read_text()
        assert Workspace(problem).tidegate("upgrade").stdout == "nothing to upgrade\n"
