"""`tidegate submit --wait`: the progress, the table that ends it, and the exit code, with a real MLflow."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config import kube_config

from tests.durations import HANGING
from tests.tidegate.commands import decided
from tests.tidegate.commands.cluster import kubeconfigs, recordings
from tests.tidegate.commands.cluster.kfp_server import PODS, KfpServer
from tests.tidegate.commands.cluster.kfp_tasks import DRIVER_FAILED, OMITTED, place, tell
from tests.workspaces import hear_ctrl_c
from tidegate.commands.cluster import progress as following
from tidegate.process import limits

Tidegate = Callable[..., tuple[int, str, str]]
Steps = dict[str, str | None]
root = Path(__file__).parents[4]
first = ("pull", "ingest", "validate", "featurize", "gate")
last = ("train", "evaluate", "deploy")
wait = ("submit", "--unchecked", "--wait", "--until", "2013-04-01")


def scenes(server: KfpServer, *found: tuple[str, Steps]) -> None:
    """The run goes on by one scene each time that it is read, and stays at the last."""
    left = list(found)

    def progress(run: Any) -> None:
        tell(run, *(left.pop(0) if len(left) > 1 else left[0]))

    server.kubeflow.progress = progress


def succeeded(*names: str) -> Steps:
    return dict.fromkeys(names, "SUCCEEDED")


@pytest.fixture
def store(clone: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An MLflow of our own."""
    path = clone.parent / "mlflow.db"
    path.write_bytes(migrated.read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    return path


def test_progress_is_a_line_per_change_where_there_is_no_terminal(server: KfpServer, tidegate: Tidegate) -> None:
    scenes(
        server,
        ("PENDING", {}),
        ("RUNNING", {"pull": "RUNNING"}),
        ("RUNNING", {"pull": "SUCCEEDED", "ingest": "PENDING"}),
        ("RUNNING", {**succeeded(*first[:4]), "gate": "RUNNING"}),
        ("SUCCEEDED", {**succeeded(*first), "condition-1": "SKIPPED"}),
    )
    code, out, err = tidegate(*wait, "--json")
    lines = err.splitlines()
    assert code == 0 and "/#/runs/details/" in lines[0]
    assert lines[1].startswith("pull: running ")
    assert lines[2:5] == ["pull: succeeded 12 s", "ingest: starting", "ingest: succeeded 12 s"]
    assert lines[-4:-1] == ["train: skipped", "evaluate: skipped", "deploy: skipped"]
    told = json.loads(out)
    assert told["state"] == "succeeded" and told["steps"][-1] == {
        "step": "deploy",
        "state": "skipped",
        "seconds": None,
    }


def test_a_run_that_retrained_ends_with_the_table_of_tidegate_run(
    server: KfpServer, store: Path, tidegate: Tidegate
) -> None:
    decided.decide("retrain")
    decided.release()
    scenes(server, ("SUCCEEDED", succeeded(*first, *last)))
    code, out, err = tidegate(*wait)
    assert (code, "no summary" in err) == (0, False)
    for words in (
        "2013-03-04 to 2013-04-01: 25,000 rows, 24,100 labelled (2013040189abcdef)",
        "retrain: it was told to retrain",
        "accepted: better than the champion",
        "version 1: promoted by this batch",
        "pull 12.0, ingest 12.0",
        "0.5050",
        f"{server.url}/#/runs/details/",
    ):
        assert words in out, words
    told = json.loads(tidegate(*wait, "--json")[1])
    assert told["release"]["version"] == told["champion"] == "1" and told["verdict"]["accepted"]
    assert told["decision"]["policy"] == decided.policy.document()


def test_a_gate_that_stayed_shut_is_no_failure(server: KfpServer, store: Path, tidegate: Tidegate) -> None:
    decided.decide("retrain", mode="always")
    decided.release()
    decided.decide("keep")
    scenes(server, ("SUCCEEDED", {**succeeded(*first), "condition-1": "SKIPPED"}))
    code, out, _ = tidegate(*wait)
    assert code == 0 and "keep: it was told to keep" in out and "version 1: the gate is shut, it stays" in out
    assert "accepted" not in out  # another policy had opened the gate for the same batch


def test_without_mlflow_the_run_has_succeeded_all_the_same(
    server: KfpServer, store: Path, tidegate: Tidegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes(server, ("SUCCEEDED", succeeded(*first)))
    code, _, err = tidegate(*wait)
    assert code == 0 and "no summary: the server of MLFLOW_TRACKING_URI knows no decision of this run" in err
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    code, _, err = tidegate(*wait)
    assert code == 0 and "no summary: http://127.0.0.1:9: expected an MLflow server that answers" in err
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    code, _, err = tidegate(*wait)
    assert code == 0 and "no summary: set MLFLOW_TRACKING_URI" in err and not Path("mlflow.db").exists()


@pytest.mark.parametrize(
    ("state", "steps", "lines"),
    [
        (
            "FAILED",
            {**succeeded("pull", "ingest"), "validate": "FAILED", "featurize": OMITTED, "gate": OMITTED},
            ["validate: failed 12 s", "featurize: not run", "deploy: not run"],
        ),
        ("CANCELED", {"pull": "SUCCEEDED", "ingest": "RUNNING"}, ["ingest: cancelled 12 s", "gate: not run"]),
    ],
)
def test_a_run_that_failed_or_was_cancelled_exits_1(
    server: KfpServer, tidegate: Tidegate, state: str, steps: Steps, lines: list[str]
) -> None:
    scenes(server, ("RUNNING", {"pull": "RUNNING"}), (state, steps))
    code, out, err = tidegate(*wait)
    (run,) = server.kubeflow.runs
    word = {"FAILED": "failed", "CANCELED": "cancelled"}[state]
    assert code == 1 and out == f"{server.url}/#/runs/details/{run}\n"
    assert err.splitlines()[-1] == f"run {run}: {word}; see `tidegate logs {run}`"
    assert set(lines) <= set(err.splitlines())
    assert json.loads(tidegate(*wait, "--json")[1])["state"] == word


def test_a_driver_that_failed_is_the_reason(server: KfpServer, tidegate: Tidegate) -> None:
    scenes(server, ("RUNNING", {"pull": "PENDING"}), ("FAILED", {"pull": DRIVER_FAILED}))
    code, _, err = tidegate(*wait)
    (run,) = server.kubeflow.runs
    lines = err.splitlines()
    assert code == 1 and {"pull: starting", "pull: failed 12 s", "ingest: not run"} <= set(lines)
    reason = "pull: its driver failed; see its log, and submit again"
    assert lines[-1] == f"run {run}: failed; {reason}; see `tidegate logs {run}`" and reason in lines[:-1]


def stuck(server: KfpServer, reason: str) -> None:
    """The pod of `collect` waits for this reason, of which Kubeflow says nothing."""

    def progress(run: Any) -> None:
        tell(run, "RUNNING", {"collect": "PENDING"})
        annotations = {"workflows.argoproj.io/node-name": f"{place('collect')}(0).executor(0)"}
        metadata = {"name": "a-pod", "labels": {"pipeline/runid": run.run_id}, "annotations": annotations}
        state = {"waiting": {"reason": reason, "message": 'Back-off pulling image "tidegate/nosuch:1"'}}
        main = {"name": "main", "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": state}
        status = {"phase": "Pending", "containerStatuses": [main]}
        server.kubernetes[PODS] = {"items": [{"metadata": metadata, "status": status}]}

    server.kubeflow.progress = progress


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])
def test_an_image_that_cannot_be_pulled_ends_the_wait(
    server: KfpServer, tidegate: Tidegate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    path = kubeconfigs.write(tmp_path / "kubeconfig", server.url)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", path)
    stuck(server, reason)
    code, out, err = tidegate(*wait)
    (run,) = server.kubeflow.runs
    last = err.splitlines()[-1]
    assert code == 1 and "collect: starting" in err and "running" not in err
    assert last.startswith(f"run {run}: cannot go on; collect: {reason}: Back-off pulling image")
    assert "kind load docker-image" in last and last.endswith(f"terminate it on {out.strip()}")
    told = json.loads(tidegate(*wait, "--json")[1])
    assert (told["state"], told["reasons"][0]["step"]) == ("running", "collect")


def test_what_may_pass_is_told_once_and_waited_for(
    server: KfpServer, tidegate: Tidegate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kubeconfigs.write(tmp_path / "kubeconfig", server.url)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", path)
    stuck(server, "ErrImagePull")
    halted, reads = server.kubeflow.progress, 0

    def progress(run: Any) -> None:
        nonlocal reads
        reads += 1
        halted(run)
        if reads > 3:
            server.kubernetes[PODS] = {"items": []}
            tell(run, "SUCCEEDED", succeeded("collect"))

    server.kubeflow.progress = progress
    code, _, err = tidegate(*wait)
    assert (code, err.count("collect: ErrImagePull: Back-off")) == (0, 1)


def test_a_cluster_that_does_not_tell_of_pods_is_asked_no_more(
    server: KfpServer, tidegate: Tidegate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kubeconfigs.write(tmp_path / "kubeconfig", server.url)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", path)
    server.kubernetes[PODS] = None
    running: tuple[str, Steps] = ("RUNNING", {"pull": "RUNNING"})
    scenes(server, *[running] * 6, ("SUCCEEDED", succeeded(*first)))
    assert tidegate(*wait)[0] == 0
    assert len([item for item in server.received if item.path.startswith(PODS)]) == following.MOST_MISSED


def test_a_real_run_that_was_cancelled_is_not_one_that_failed(server: KfpServer, tidegate: Tidegate) -> None:
    def progress(run: Any) -> None:
        found = recordings.run("cancelled")
        run.state, run.state_history, run.run_details = found.state, found.state_history, found.run_details

    server.kubeflow.progress = progress
    code, _, err = tidegate(*wait)
    (run,) = server.kubeflow.runs
    assert code == 1 and err.splitlines()[-1] == f"run {run}: cancelled; see `tidegate logs {run}`"
    assert "pull: cancelled 11 s" in err and json.loads(tidegate(*wait, "--json")[1])["state"] == "cancelled"


def test_a_server_that_is_away_for_a_while_is_waited_for(server: KfpServer, tidegate: Tidegate) -> None:
    reads = 0

    def progress(run: Any) -> None:
        nonlocal reads
        reads += 1
        tell(run, "RUNNING" if reads < 3 else "SUCCEEDED", {"pull": "RUNNING" if reads < 3 else "SUCCEEDED"})
        if reads == 1:
            server.faults = ["503", "503", "502", ""]

    server.kubeflow.progress = progress
    assert tidegate(*wait)[0] == 0 and reads == 3 and len(server.faults) == 1


def test_one_that_stays_away_is_given_up_and_the_run_goes_on(
    server: KfpServer, tidegate: Tidegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AWAY_SECONDS", 0.1)

    def progress(run: Any) -> None:
        tell(run, "RUNNING", {})
        server.faults = ["503"]

    server.kubeflow.progress = progress
    code, _, err = tidegate(*wait)
    assert code == 2 and "503 (not ready)" in err


def test_interrupted_it_says_that_the_run_goes_on(server: KfpServer, clone: Path) -> None:
    scenes(server, ("RUNNING", {"pull": "RUNNING"}))
    command = [sys.executable, "-m", "tidegate", *wait]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("pull: running")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=HANGING)
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith(f"the run goes on: {server.url}") and "Traceback" not in err


def test_the_pipeline_that_predicts_ends_without_a_decision(
    server: KfpServer, predicting: Path, tidegate: Tidegate
) -> None:
    scenes(server, ("SUCCEEDED", succeeded("predict")))
    code, out, err = tidegate("submit", "--unchecked", "--wait", "--pipeline", "predicting", "--json")
    document = json.loads(out)
    assert (code, "no summary" in err) == (0, False)
    assert document["state"] == "succeeded" and "decision" not in document
    assert [step["step"] for step in document["steps"]] == ["predict"]
