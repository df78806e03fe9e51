"""docs/predicting.md: its commands do what they say, in a workspace after the first turn."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.workspaces import Workspace
from tidegate.commands import predict
from tidegate.commands.cli import parser
from tidegate.commands.cluster import schedules
from tidegate.pipelines import cluster

root = Path(__file__).parents[1]
page = (root / "docs/predicting.md").read_text()
commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def workspace(turned_once: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The first batch has made a champion."""
    return turned_once.copy(tmp_path_factory.mktemp("predicting") / "workspace")


def test_every_command_does_what_it_says(workspace: Workspace) -> None:
    assert len(commands) > 3
    sections = re.findall(r"```yaml\nsteps:\n(.*?)```", page, re.DOTALL)
    settings = workspace / "cluster.yaml"
    settings.write_text(settings.read_text().replace("\nsteps:\n", f"\nsteps:\n{sections[0]}"))
    for words in (shlex.split(command)[1:] for command in commands):
        if words[0] in ("submit", "schedule"):  # they ask a cluster
            assert callable(parser().parse_args(words).run)
        else:
            workspace.tidegate(*words)
    assert "comp-predict" in (workspace / "predicting.yaml").read_text()
    predictions, again = workspace / "predictions.parquet", workspace / "features.csv.gz"
    joined = f"'{predictions}' AS p JOIN '{again}' AS f USING (time_hour, carrier, flight)"
    rows, same = duckdb.execute(f"SELECT count(*), count_if(p.prediction = f.prediction) FROM {joined}").fetchall()[0]
    assert rows == same > 1000
    names = [name for name, *_ in duckdb.execute(f"DESCRIBE SELECT * FROM '{predictions}'").fetchall()]
    assert names[-3:] == re.findall(r"^\| `(prediction|model_version|predicted_at)` \|", page, re.MULTILINE)
    assert (workspace / "predictions.bad.csv").is_file()
    named = [
        name
        for cell in re.findall(r"^\| (`[^|]+`) \| [^|]+\|$", page[page.index("| in the folder") :], re.MULTILINE)
        for name in re.findall("`(.*?)`", cell)
    ]
    assert {name.rstrip("/") for name in named} == {path.name for path in (workspace / "handover").iterdir()}


def test_the_section_of_the_cluster_is_one(root: Path, tmp_path: Path) -> None:
    (steps,) = re.findall(r"```yaml\nsteps:\n(.*?)```", page, re.DOTALL)
    (section,) = re.findall(r"```yaml\n(predict:\n.*?)```", page, re.DOTALL)
    path = tmp_path / "cluster.yaml"
    path.write_text((root / "cluster.yaml").read_text().replace("\nsteps:\n", f"\nsteps:\n{steps}") + section)
    assert schedules.declared(path, "predicting").cron == "0 30 6 * * *"
    table = page[page.index("| key | meaning |") :].partition("\n\n")[0]
    keys = json.loads(cluster.SCHEMA.read_text())["properties"]["predict"]["properties"]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [*keys]


def test_it_names_every_flag(workspace: Workspace) -> None:
    table = page[: page.index("## What is read")]
    assert {flag for flag in predict.COMMAND.flags if flag.startswith("-")} == set(
        re.findall(r"--[a-z][a-z-]+", table)
    )


def test_a_bad_row_is_told_as_the_page_says(workspace: Workspace) -> None:
    rows = f"(SELECT * FROM '{workspace / 'artifacts/validate/clean/flights.parquet'}' LIMIT 4)"
    query = f"SELECT * REPLACE (CASE row_number() OVER () WHEN 3 THEN 0 ELSE distance END AS distance) FROM {rows}"
    duckdb.execute(f"COPY ({query}) TO '{workspace / 'flights.csv'}'")
    done = workspace.tidegate("predict", "flights.csv", "bad.csv", check=False)
    assert done.returncode == 2 and done.stderr in page and not (workspace / "bad.csv").exists()


def test_what_was_done_as_json_and_who_is_not_there(workspace: Workspace) -> None:
    features = "artifacts/featurize/features/features.parquet"
    told = json.loads(workspace.tidegate("predict", features, "out.csv", "--json", "--kind", "features").stdout)
    assert (told["kind"], told["version"], told["bad"], told["hidden"]) == ("features", "1", 0, [])
    for flags, message in (
        (("--version", "9"), "error: flights version 9: expected a registered version, found none"),
        (("--name", "ships"), "error: ships: expected a champion, found none yet"),
        (("--set", "train.window_days=1"), "error: --set train.window_days=1: expected one of"),
        (("--set", "serve.max_rows=9"), "error: --set serve.max_rows=9: expected one of deploy.sign, serve.tables"),
    ):
        done = workspace.tidegate("predict", features, "other.csv", *flags, check=False)
        assert done.returncode == 2 and done.stderr.startswith(message), done.stderr
    assert not (workspace / "other.csv").exists()


def test_sigterm_leaves_nothing(workspace: Workspace, tmp_path: Path) -> None:
    features = workspace / "artifacts/featurize/features/features.parquet"
    many = tmp_path / "many.parquet"
    duckdb.execute(f"COPY (SELECT f.* FROM '{features}' AS f, range(40)) TO '{many}'")
    (tmp_path / "out").mkdir()
    target = tmp_path / "out/answer.csv"
    target.write_text("earlier")
    words = [sys.executable, "-m", "tidegate", "predict", str(many), str(target), "--kind", "features"]
    with subprocess.Popen(words, cwd=workspace.folder, env=workspace.environment) as process:
        for _ in range(1200):
            if len([*target.parent.rglob("*.parquet")]) > 1:  # it has read the rows
                break
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    assert [path.name for path in target.parent.iterdir()] == ["answer.csv"] and target.read_text() == "earlier"
