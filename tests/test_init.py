"""`tidegate init`: from one file of events to a repository of its own, and there to a first champion."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from tests.workspaces import Workspace
from tidegate.commands.draft import PLOTS

root = Path(__file__).parents[1]
Frame = Callable[[], pd.DataFrame]


def orders() -> pd.DataFrame:
    """Hourly orders with awkward names: a text label, a personal column, one that tells the label, a constant."""
    random = np.random.default_rng(0)
    price = random.normal(50, 10, 1500).round(2)
    returned = np.where(random.random(1500) < 1 / (1 + np.exp(-(price - 60) / 5)), "yes", "no")
    return pd.DataFrame(
        {
            "ordered at": pd.date_range("2024-01-01", periods=1500, freq="h").strftime("%Y-%m-%d %H:%M:%S"),
            "order": np.arange(1500) + 1,
            "shop": random.choice(["north", "south", "west"], 1500),
            "price": np.where(np.arange(1500) % 17 == 0, np.nan, price),
            "email": [f"somebody{number}@example.org" for number in range(1500)],
            "country": "DE",
            "remark": [f"remark {number}" for number in range(1500)],
            "returned": returned,
            "refund": np.where(returned == "yes", "paid", "none"),
        }
    )


def houses() -> pd.DataFrame:
    """Sales of several houses a day, a number to predict, no key but many columns."""
    random = np.random.default_rng(1)
    days = pd.date_range("2023-01-01", "2024-01-01", inclusive="left").repeat(3)
    area = random.gamma(9, 12, len(days)).round(1)
    return pd.DataFrame(
        {
            "sold": days.strftime("%Y-%m-%d"),
            "town": random.choice(["Elm", "Oak", "Fir"], len(days)),
            "area": area,
            "rooms": random.integers(1, 7, len(days)),
            "price": (area * 3000 + random.normal(0, 30_000, len(days))).round(0),
        }
    )


def plants() -> pd.DataFrame:
    """Three hundred rows of one table: which of three plants, one measurement every four hours."""
    random = np.random.default_rng(2)
    kind = random.choice(["fern", "moss", "rose"], 300)
    size = {"fern": 3.0, "moss": 1.0, "rose": 6.0}
    return pd.DataFrame(
        {
            "at": pd.date_range("2025-03-01", periods=300, freq="4h"),
            "kind": kind,
            "height": [random.normal(size[name], 0.8) for name in kind],
            "wet": random.random(300) < 0.5,
        }
    )


PROBLEMS: dict[str, tuple[Frame, str, str, str, str]] = {
    "orders.csv": (orders, "returned", "ordered at", "binary", "LogisticRegression"),
    "houses.csv.gz": (houses, "price", "sold", "regression", "Ridge"),
    "plants.parquet": (plants, "kind", "at", "multiclass", "LogisticRegression"),
}


def write(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return path


def begin(folder: Path, file: Path, label: str, time: str, *more: str) -> "subprocess.CompletedProcess[str]":
    return Workspace(root).tidegate(
        "init", str(folder / "new"), "--data", str(file), "--label", label, "--time", time, *more, check=False
    )


class Turn(NamedTuple):
    """A problem that began with a file, after its first turn."""

    workspace: Workspace
    begun: "subprocess.CompletedProcess[str]"
    changed: str  # of what was committed, before the turn
    before: dict[str, Any]  # the status
    told: str


@pytest.fixture(scope="module")
def first_turn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Turn]:
    """The first turn of a problem, once."""

    @cache
    def turn(name: str) -> Turn:
        folder = tmp_path_factory.mktemp("problem")
        make, label, time, *_ = PROBLEMS[name]
        begun = begin(folder, write(make(), folder / name), label, time)
        workspace = Workspace(folder / "new")
        changed = workspace.run("git", "status", "--short").stdout
        before = json.loads(workspace.tidegate("status", "--json").stdout)
        return Turn(workspace, begun, changed, before, workspace.tidegate("run").stdout)

    return turn


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_file_becomes_a_repository_with_a_champion(name: str, first_turn: Callable[[str], Turn]) -> None:
    *_, task, estimator = PROBLEMS[name]
    workspace, done, changed, _, told = first_turn(name)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"a {task} problem" in done.stdout
    assert estimator in (workspace / "model.yaml").read_text()
    assert (workspace / "data.dvc").is_file() and not (workspace / "tests").exists()
    assert "html_template = plots.html" in (workspace / ".dvc/config").read_text()
    assert (workspace / ".dvc/plots.html").read_text() == PLOTS.read_text()
    assert changed == ""
    assert "data/" not in workspace.run("git", "ls-files").stdout.splitlines()
    assert "promoted by this batch" in told, told
    assert "nothing to do" in workspace.tidegate("run").stdout


def test_the_first_champion_names_the_first_commit_and_can_be_made_again(first_turn: Callable[[str], Turn]) -> None:
    workspace, _, _, before, _ = first_turn("plants.parquet")
    assert workspace.run("git", "log", "--format=%an %s").stdout == "Test Begin\n"
    commit = workspace.run("git", "rev-parse", "HEAD").stdout.strip()
    assert (before["champion"], bool(before["to_do"])) == (None, True)
    after = json.loads(workspace.tidegate("status", "--json").stdout)
    assert (after["champion"]["to"], after["champion"]["commit"], after["to_do"]) == ("1", commit, [])
    assert workspace.tidegate("reproduce", "1").stdout.startswith(f"version 1 at {commit}: the same model")


def test_where_git_knows_nobody_the_first_commit_says_so(tmp_path: Path) -> None:
    workspace = Workspace(root)
    for role in ("AUTHOR", "COMMITTER"):
        del workspace.environment[f"GIT_{role}_NAME"], workspace.environment[f"GIT_{role}_EMAIL"]
    workspace.environment["GIT_CONFIG_GLOBAL"] = str(tmp_path / "gitconfig")
    (tmp_path / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    file, new = write(plants(), tmp_path / "plants.csv"), tmp_path / "new"
    done = workspace.tidegate("init", str(new), "--data", str(file), "--label", "kind", "--time", "at")
    assert done.stderr.startswith("note: git does not know who you are: the first commit is by tidegate; say `git")
    assert done.stderr.count("\n") == 1
    assert Workspace(new).run("git", "log", "--format=%an <%ae>").stdout == "tidegate <tidegate@localhost>\n"
    assert (tmp_path / "gitconfig").read_text() == "[user]\n\tuseConfigOnly = true\n"
    assert "user" not in (new / ".git/config").read_text()


def test_a_commit_that_git_refuses_leaves_nothing(tmp_path: Path) -> None:
    workspace = Workspace(root)
    workspace.environment["GIT_CONFIG_GLOBAL"] = str(tmp_path / "gitconfig")
    (tmp_path / "gitconfig").write_text(f"[core]\n\thooksPath = {tmp_path}/hooks\n")
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/pre-commit").write_text("#!/bin/sh\necho not on a Sunday >&2\nexit 1\n")
    (tmp_path / "hooks/pre-commit").chmod(0o755)
    file, new = write(plants(), tmp_path / "plants.csv"), tmp_path / "new"
    flags = ("--data", str(file), "--label", "kind", "--time", "at")
    done = workspace.tidegate("init", str(new), *flags, check=False)
    assert done.returncode == 2
    assert "commit --quiet --message Begin: expected to succeed, found not on a Sunday; correct it" in done.stderr
    assert not new.exists()


def test_what_is_no_feature_is_left_out_and_said(tmp_path: Path) -> None:
    done = begin(tmp_path, write(orders(), tmp_path / "my orders.csv"), "returned", "ordered at")
    sql = (tmp_path / "new/features.sql").read_text()
    assert re.findall(r"^    (.*?),?$", sql, re.MULTILINE) == [
        'my_orders."ordered at"',
        "my_orders.returned = 'yes' AS returned",
        "my_orders.shop",
        "my_orders.price",
    ]
    contract = (tmp_path / "new/contract.yaml").read_text()
    assert "email: {type: text, role: private}" in contract
    assert "refund: {type: text, role: outcome}" in contract
    for reason in ("the same in every row", "free text", "the number of the row", "looks personal"):
        assert reason in done.stdout


def test_a_key_of_repeating_columns_may_be_learned_from(tmp_path: Path) -> None:
    begin(tmp_path, write(houses(), tmp_path / "houses.csv"), "price", "sold")
    sql = (tmp_path / "new/features.sql").read_text()
    key = re.findall(r"key: \[(.*)\]", (tmp_path / "new/contract.yaml").read_text())[0].split(", ")
    assert key[0] == "sold" and len(key) > 1
    for column in key[1:]:
        assert f"houses.{column},\n" in sql and f"houses.{column} AS {column}_as_feature" in sql


def test_a_measurement_that_happens_to_be_the_key_is_learned_from(tmp_path: Path) -> None:
    frame = houses().assign(area=np.random.default_rng(3).permutation(3 * 365) / 8)
    begin(tmp_path, write(frame, tmp_path / "houses.csv"), "price", "sold")
    assert "key: [area]" in (tmp_path / "new/contract.yaml").read_text()
    assert "houses.area AS area_as_feature" in (tmp_path / "new/features.sql").read_text()


def test_it_says_the_same_as_json(tmp_path: Path) -> None:
    done = begin(tmp_path, write(plants(), tmp_path / "plants.csv"), "kind", "at", "--json")
    found = json.loads(done.stdout)
    assert (found["task"], found["params"]["ingest"]["until"]) == ("multiclass", '"2025-04-20"')
    assert found["files"]["model.yaml"] == (tmp_path / "new/model.yaml").read_text()


def spoiled(**columns: Any) -> Frame:
    return lambda: plants().assign(**columns)


BAD: dict[str, tuple[Frame, str, str, tuple[str, ...], str]] = {
    "no such label": (plants, "kinds", "at", (), "--label of plants.csv: expected one of at, kind, .* mean 'kind'"),
    "no such time": (plants, "kind", "when", (), "--time of plants.csv: expected one of at, kind"),
    "no such key": (plants, "kind", "at", ("--key", "at,id"), "--key of plants.csv: expected one of"),
    "the label is the time": (plants, "at", "at", (), "--label: expected a column of its own"),
    "a label that never differs": (spoiled(kind="fern"), "kind", "at", (), "label kind: .* the same in every row"),
    "no label at all": (spoiled(kind=None), "kind", "at", (), "label kind: expected values that differ, found none"),
    "a label of free text": (
        spoiled(kind=[f"kind {number}" for number in range(300)]),
        "kind",
        "at",
        (),
        "label kind: .* more than 50 values",
    ),
    "a time that is none": (plants, "kind", "kind", ("--key", "at"), "--label: expected a column of its own"),
    "a time of numbers": (plants, "kind", "height", (), "time height: expected a date or time"),
    "times that lack": (
        lambda: plants().assign(at=plants()["at"].where(plants().index % 3 > 0)),
        "kind",
        "at",
        (),
        "100 of 300 rows without",
    ),
    "too few rows": (
        lambda: plants().head(40),
        "kind",
        "at",
        (),
        ".csv: expected at least 150 rows to learn from, found 40",
    ),
    "rows that are the same": (
        lambda: pd.concat([plants(), plants()]),
        "kind",
        "at",
        (),
        "expected columns that tell all rows apart",
    ),
    "one moment": (
        spoiled(at="2024-01-01", id=range(300)),
        "kind",
        "at",
        (),
        "time at: expected rows at 8 moments or more, found 1",
    ),
    "nothing to learn from": (lambda: plants()[["at", "kind"]], "kind", "at", (), "expected a column to learn from"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_drafted_is_one_line_and_leaves_nothing(case: str, tmp_path: Path) -> None:
    make, label, time, more, expected = BAD[case]
    done = begin(tmp_path, write(make(), tmp_path / "plants.csv"), label, time, *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 and re.search(expected, done.stderr), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["plants.csv"]


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/thesis.txt").write_text("precious")
    done = begin(tmp_path, write(plants(), tmp_path / "plants.csv"), "kind", "at")
    assert done.returncode == 2 and "expected a new or an empty folder, found files" in done.stderr
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["thesis.txt"]
    shutil.rmtree(tmp_path / "new")
    (tmp_path / "new").mkdir()
    assert begin(tmp_path, tmp_path / "plants.csv", "kind", "at").returncode == 0


def test_inside_of_a_repository_it_is_a_folder_with_a_dvc_of_its_own(tmp_path: Path) -> None:
    repository = Workspace(tmp_path)
    repository.run("git", "init", "--quiet")
    write(plants(), tmp_path / "plants.csv")
    for name in ("one", "two"):
        words = ("init", name, "--data", "plants.csv", "--label", "kind", "--time", "at", "--cluster")
        repository.tidegate(*words)
        assert (tmp_path / name / ".dvc/config").is_file() and (tmp_path / name / "cluster.yaml").is_file()
    staged = repository.run("git", "diff", "--cached", "--name-only").stdout.splitlines()
    assert {name.partition("/")[0] for name in staged} == {"one", "two"}
    assert "one/contract.yaml" in staged and "two/data.dvc" in staged
    assert repository.run("git", "status", "--short", "--", "one", "two").stdout.count("A  ") == len(staged)
