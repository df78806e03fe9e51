"""The whole loop as its users run it: real DVC, real MLflow, a slice of the real flights."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.workspaces import Workspace, hear_ctrl_c

root = Path(__file__).parents[1]
stages = ["ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy"]


def ran(found: subprocess.CompletedProcess[str]) -> list[str]:
    """The stages that a `tidegate run` ran, in order."""
    return [line for line in found.stderr.splitlines() if line in stages]


def document(workspace: Workspace, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((workspace / "artifacts" / path).read_text())
    return found


def batches(workspace: Workspace) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(workspace.tidegate("batches", "--json").stdout)
    return found


def change(workspace: Workspace, file: str, old: str, new: str) -> None:
    """Edit a file as a user would."""
    text = (workspace / file).read_text()
    assert text.count(old) == 1
    (workspace / file).write_text(text.replace(old, new))


def another_recipe(workspace: Workspace) -> None:
    """Ask for another model of the same batch, which will be accepted."""
    change(workspace, "params.yaml", "mode: auto", "mode: always")
    change(workspace, "params.yaml", "window_days: 365", "window_days: 60")
    change(workspace, "params.yaml", "margin: 0.0", "margin: 1.0")


def one_line(found: subprocess.CompletedProcess[str]) -> str:
    """The only error line of a command that failed as it should."""
    assert found.returncode == 2, found.stderr
    errors = [line for line in found.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "Traceback" not in found.stderr, found.stderr
    return errors[0]


def test_the_walk_leaves_a_champion_and_one_decision_per_batch(walked: Workspace) -> None:
    rows = batches(walked)
    assert [row["until"] for row in rows] == ["2013-03-01", "2013-04-01", "2013-07-01"]
    assert rows[0]["decision"] == "retrain" and rows[0]["reasons"] == "there is no champion yet"
    assert rows[0]["verdict"] == "accepted" and rows[0]["champion"] == "1"
    assert len({row["batch"] for row in rows}) == 3
    champions = [row["champion"] for row in rows]
    assert champions == sorted(champions)
    for row in rows[1:]:
        assert (row["verdict"] != "") == (row["decision"] == "retrain")


def test_the_summary_names_what_a_person_wants_to_know(walked: Workspace) -> None:
    shown = walked.run("tidegate", "run").stdout
    for word in ("batch", "gate", "champion", "2013-06-03 to 2013-07-01", "nothing to do", "look at"):
        assert word in shown
    for page in re.findall(r"^  (artifacts/\S+)", shown, re.MULTILINE):
        assert (walked / page).is_file()
    told = json.loads(walked.tidegate("run", "--json").stdout)
    assert told["champion"] == batches(walked)[-1]["champion"] and told["seconds"] == {}


def test_what_trained_the_champion_is_in_its_version(walked: Workspace) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{walked / 'mlflow.db'}", registry_uri=f"sqlite:///{walked / 'mlflow.db'}")
    version = client.get_model_version("flights", "1")
    tracked = re.search(r"md5: (\S+)", (walked / "data.dvc").read_text())
    assert tracked and version.tags["tidegate.data"] == tracked[1]
    first = subprocess.run(
        ["git", "rev-list", "--max-parents=0", "HEAD"], cwd=walked.folder, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert version.tags["tidegate.commit"].removesuffix("-dirty") == first
    assert set(json.loads(version.tags["tidegate.files"])) == {
        "model.skops",
        "features.sql",
        "contract.yaml",
        "model.yaml",
        "reference.parquet",
        "record.json",
        "MLmodel",
    }
    assert version.run_id
    run = client.get_run(version.run_id)
    assert run.inputs and run.info.status == "FINISHED"
    assert {tag.value for item in run.inputs.dataset_inputs for tag in item.tags if tag.key == "dvc"} == {tracked[1]}
    assert {"learning_curve.svg", "importances.svg"} <= {
        Path(item.path).name for item in client.list_artifacts(version.run_id, "train")
    }
    assert {"challenger.log_loss", "dummy.log_loss", "linear.log_loss"} <= set(run.data.metrics)


def champions(workspace: Workspace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(workspace.tidegate("history", "--json").stdout)
    return found


def test_a_rollback_is_one_command_and_stays(workspace: Workspace) -> None:
    before = champions(workspace)
    assert [row["serves"] for row in before] == [False] * (len(before) - 1) + [True] and len(before) > 1
    assert (
        workspace.tidegate("rollback", "--reason", "complaints").stdout == f"version {before[-2]['to']} is champion\n"
    )
    after = champions(workspace)
    assert after[:-1] == [{**row, "serves": False} for row in before]
    assert (after[-1]["from"], after[-1]["to"]) == (before[-1]["to"], before[-2]["to"])
    assert after[-1]["why"] == "rollback: complaints" and after[-1]["loss"] == before[-2]["loss"]
    assert "complaints" in workspace.run("tidegate", "history").stdout
    # The loop does not promote again what a person took back.
    assert f"version {before[-2]['to']}: version {before[-1]['to']}" in workspace.tidegate("run").stdout
    workspace.run("dvc", "repro", "--force", "--single-item", "deploy")
    assert champions(workspace) == after


@pytest.mark.parametrize("to", ["99", "the one that serves"])
def test_a_rollback_to_what_was_never_champion_is_one_line(workspace: Workspace, to: str) -> None:
    serving = champions(workspace)[-1]["to"]
    line = one_line(
        workspace.tidegate(
            "rollback", "--to", to.replace("the one that serves", serving), "--reason", "x", check=False
        )
    )
    assert "an earlier champion" in line


def test_again_there_is_nothing_to_do(workspace: Workspace) -> None:
    found = workspace.tidegate("run")
    assert ran(found) == [] and "nothing to do" in found.stdout


def test_a_deleted_registry_is_one_line_and_its_cure(workspace: Workspace) -> None:
    for path in workspace.folder.glob("mlflow.db*"):
        path.unlink()
    line = one_line(workspace.run("tidegate", "run", check=False))
    assert "the champion this workspace remembers" in line and "tidegate run --anew" in line
    assert ran(workspace.run("tidegate", "run", "--anew")) == stages
    assert [row["champion"] for row in batches(workspace)] == ["1"]
    assert ran(workspace.tidegate("run")) == []


def test_an_earlier_month_returns_what_was_decided(workspace: Workspace) -> None:
    before = batches(workspace)
    shutil.rmtree(workspace / "artifacts")  # and what DVC keeps of it must not matter
    workspace.tidegate("run", "--until", "2013-03-01")
    assert batches(workspace) == before
    assert document(workspace, "deploy/release.json")["version"] == "1"
    assert document(workspace, "gate/decision.json")["reasons"] == ["there is no champion yet"]
    told = json.loads(workspace.tidegate("run", "--json").stdout)
    assert told["champion"] == before[-1]["champion"]


def test_of_an_undecided_batch_before_the_champions_data_nothing_can_be_told(workspace: Workspace) -> None:
    workspace.tidegate("run", "--until", "2013-02-20")
    decision = document(workspace, "gate/decision.json")
    assert decision["decision"] == "cannot tell" and "later than this batch begins" in decision["reasons"][0]
    assert not decision["retrain"]


def test_a_comment_in_a_step_decides_nothing_anew(workspace: Workspace, tmp_path: Path) -> None:
    before, rows = document(workspace, "gate/decision.json"), batches(workspace)
    copied = tmp_path / "installed/tidegate"
    shutil.copytree(root / "tidegate", copied, ignore=shutil.ignore_patterns("__pycache__"))
    workspace.environment["PYTHONPATH"] = str(copied.parent)
    assert ran(workspace.run("tidegate", "run")) == []
    with (copied / "tracking/run_data.py").open("a") as file:
        file.write("\n# A remark on how something is logged.\n")
    assert ran(workspace.run("tidegate", "run")) == []
    with (copied / "components/gate/decision.py").open("a") as file:
        file.write("\n# A remark.\n")
    assert ran(workspace.run("tidegate", "run")) == ["gate"]
    assert document(workspace, "gate/decision.json") == before and batches(workspace) == rows


def test_features_are_added_renamed_and_dropped_between_two_batches(workspace: Workspace) -> None:
    champion = batches(workspace)[-1]["champion"]
    change(workspace, "features.sql", "    flights.distance,\n", "    flights.distance,\n    weather.wind_gust,\n")
    change(workspace, "features.sql", "weather.precip AS precipitation", "weather.precip AS rain")
    change(workspace, "features.sql", "    weather.pressure,\n", "")
    change(workspace, "params.yaml", "mode: auto", "mode: always")
    assert ran(workspace.tidegate("run")) == stages[2:]
    verdict = document(workspace, "evaluate/verdict.json")
    assert verdict["champion"] == champion
    scored = {item["model"]: item["log_loss"] for item in verdict["models"]}
    assert 0.3 < scored["champion"] < 0.9 and 0.3 < scored["challenger"] < 0.9
    signals = {signal["name"] for signal in document(workspace, "gate/decision.json")["signals"]}
    assert {"drift of pressure", "drift of precipitation"} <= signals  # the champion's own features, whatever ours are


def test_never_keeps_and_trains_nothing(workspace: Workspace) -> None:
    change(workspace, "params.yaml", "mode: auto", "mode: never")
    champion = batches(workspace)[-1]["champion"]
    found = workspace.tidegate("run")
    assert document(workspace, "gate/decision.json")["decision"] == "keep"
    assert "skipped" in document(workspace, "deploy/release.json")
    assert f"version {champion}: the gate is shut, it stays" in found.stdout


def test_an_experiment_is_judged_and_never_promoted(workspace: Workspace) -> None:
    before = batches(workspace)[-1]["champion"]
    workspace.run(
        "dvc", "exp", "run", "-S", "gate.mode=always", "-S", "train.window_days=60", "-S", "evaluate.margin=1.0"
    )
    release = document(workspace, "deploy/release.json")
    assert release["experiment"] and not release["promoted"] and release["champion"] == before
    assert document(workspace, "evaluate/verdict.json")["accepted"]
    assert "train.window_days" in workspace.run("dvc", "exp", "show", "--csv").stdout
    # The same recipe without an experiment is promoted.
    assert ran(workspace.tidegate("run"))[0] == "deploy"
    release = document(workspace, "deploy/release.json")
    assert release["promoted"] and release["champion"] == release["version"] != before


def test_dvc_shows_what_a_dvc_user_expects(workspace: Workspace) -> None:
    assert re.findall(r"Running stage '(\w+)'", workspace.run("dvc", "repro").stdout) == ["code"]
    assert list(json.loads(workspace.run("dvc", "status", "--json").stdout)) == ["code"]
    assert "ingest.until" in workspace.run("dvc", "params", "diff", "HEAD~2").stdout
    assert (
        "challenger.log_loss" in workspace.run("dvc", "metrics", "show").stdout
        or "skipped" in (workspace / "artifacts/evaluate/metrics.json").read_text()
    )
    assert workspace.run("dvc", "metrics", "diff", "HEAD~2").returncode == 0
    workspace.run("dvc", "plots", "show")
    assert (workspace / "dvc_plots/index.html").is_file()


def test_missing_data_comes_from_the_remote_or_says_where_it_should(workspace: Workspace, tmp_path: Path) -> None:
    workspace.run("dvc", "remote", "add", "--quiet", "--default", "store", str(tmp_path / "store"))
    workspace.run("dvc", "push", "--quiet", "data.dvc")
    workspace.run("dvc", "remote", "default", "--unset")
    shutil.rmtree(workspace / "data")
    shutil.rmtree(workspace / ".dvc/cache")
    assert "no DVC remote" in one_line(workspace.tidegate("run", check=False))
    workspace.run("dvc", "remote", "default", "store")
    workspace.tidegate("run")
    assert (workspace / "data/flights.csv").is_file()


def test_altered_data_is_noticed_and_not_taken_for_the_version(workspace: Workspace) -> None:
    pinned = (workspace / "data.dvc").read_text()
    (workspace / "data/planes.csv").chmod(0o644)
    with (workspace / "data/planes.csv").open("a") as file:
        file.write("N99999,2001,x,BOEING,737,2,100,NA,Turbo-fan\n")
    line = one_line(workspace.tidegate("run", check=False))
    assert "dvc checkout data" in line
    assert (workspace / "data.dvc").read_text() == pinned


def test_bad_data_stops_the_run_with_every_violation(workspace: Workspace) -> None:
    champion = batches(workspace)[-1]["champion"]
    text = (workspace / "data/weather.csv").read_text()
    (workspace / "data/weather.csv").unlink()
    (workspace / "data/weather.csv").write_text(text.replace("humid", "humidity", 1).replace("temp", "temperature", 1))
    workspace.run("dvc", "add", "--quiet", "data")
    found = workspace.tidegate("run", check=False)
    assert found.returncode == 2 and "Traceback" not in found.stderr
    assert "did you mean 'humidity'?" in found.stderr and "did you mean 'temperature'?" in found.stderr
    assert batches(workspace)[-1]["champion"] == champion


@pytest.mark.parametrize(("stage", "by"), [("train", signal.SIGINT), ("deploy", signal.SIGKILL)])
def test_ended_half_way_it_is_finished_by_the_next_run(workspace: Workspace, stage: str, by: signal.Signals) -> None:
    """By Ctrl-C, which a terminal sends to all that runs in it, and by the end of `tidegate` alone."""
    another_recipe(workspace)
    command = [sys.executable, "-m", "tidegate", "run"]
    with subprocess.Popen(
        command,
        cwd=workspace.folder,
        env=workspace.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        preexec_fn=hear_ctrl_c,
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if line.strip() == stage:
                break
        time.sleep(1.5)
        if by == signal.SIGKILL:
            process.kill()
        else:
            os.killpg(process.pid, by)
            said = process.stderr.read()
            assert process.wait() == 130 and "Traceback" not in said, said
            assert said.splitlines()[-1].startswith("interrupted: ")
            assert not _alive(workspace)
    deadline = time.monotonic() + 120
    while _alive(workspace) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _alive(workspace), "a step outlived the run that started it"
    workspace.tidegate("run")
    release = document(workspace, "deploy/release.json")
    assert release["promoted"]
    versions = [row["champion"] for row in batches(workspace)]
    assert versions[-1] == release["version"]


def _alive(workspace: Workspace) -> bool:
    """Whether a process of this workspace is still there."""
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if path.resolve() == workspace.folder:
                return True
        except OSError:
            continue
    return False


def test_the_pipeline_compiles_to_the_same_bytes(workspace: Workspace) -> None:
    for name in ("a.yaml", "b.yaml"):
        workspace.tidegate("compile", "--output", name)
    assert (workspace / "a.yaml").read_bytes() == (workspace / "b.yaml").read_bytes()
    assert "comp-gate" in (workspace / "a.yaml").read_text()


BAD = {
    "a moment": (["run", "--until", "yesterday"], "--until: expected a UTC time such as 2013-03-01"),
    "too early": (["run", "--until", "2012-01-01"], "rows: expected at least one, found none"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_says_what_and_how_to_cure_it(workspace: Workspace, case: str) -> None:
    arguments, expected = BAD[case]
    found = workspace.tidegate(*arguments, check=False)
    assert found.returncode == 2 and expected in found.stderr and "Traceback" not in found.stderr


def test_the_shadow_is_part_of_the_run_and_runs_nothing_again(workspace: Workspace) -> None:
    another_recipe(workspace)
    change(workspace, "params.yaml", "shadow: false", "shadow: true")
    change(workspace, "params.yaml", 'record: "" ', "record: asked ")
    assert "evaluate" in ran(workspace.run("tidegate", "run"))
    lines = document(workspace, "evaluate/verdict.json")["shadow"]["lines"]
    expected = "nothing is compared: asked: expected recorded predictions, found nothing"
    assert lines[0].startswith(expected)
    (workspace / "asked/hour=2013-07-01T00").mkdir(parents=True)
    again = workspace.run("tidegate", "run")
    assert ran(again) == [] and "nothing to do" in again.stdout
    assert document(workspace, "evaluate/verdict.json")["shadow"]["lines"] == lines
