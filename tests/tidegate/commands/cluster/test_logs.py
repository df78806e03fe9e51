"""`tidegate runs` and `tidegate logs`: what ran, and why it failed."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import kfp_server_api as api
import pytest
from kubernetes.config import kube_config

from tests.tidegate.commands import decided
from tests.tidegate.commands.cluster import kubeconfigs, recordings
from tests.tidegate.commands.cluster.kfp_server import API_LOG, PODS, UI_LOG, WORKFLOWS, KfpServer
from tests.tidegate.commands.cluster.kfp_tasks import DRIVER_FAILED, OMITTED, place, pod_name, tell
from tidegate.commands.cluster.logs import of_step

Tidegate = Callable[..., tuple[int, str, str]]
own = """reading flights.csv
error: flights: column temp: expected it, found nothing
error: mend the data or contract.yaml; MLflow has the report in validate/ of run 0123
"""
before = "I1120 12:00:00.000000       1 launcher_v2.go:123] starting\n"
after = "F1120 12:00:09.000000       1 main.go:54] exit status 2\n"
said = before + own + after
MAIN = {"name": "main", "image": "i", "imageID": "", "ready": False, "restartCount": 0}


@pytest.fixture
def kubeconfig(server: KfpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A way to the cluster's own API."""
    path = kubeconfigs.write(tmp_path / "kubeconfig", server.url)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", path)


def pod(run: Any, node: str, status: dict[str, Any]) -> dict[str, Any]:
    """A pod of a run as Kubernetes lists it."""
    annotations = {"workflows.argoproj.io/node-name": node}
    metadata = {"name": "a-pod", "labels": {"pipeline/runid": run.run_id}, "annotations": annotations}
    return {"metadata": metadata, "status": {"phase": "Pending", **status}}


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "PodList", "apiVersion": "v1", "items": list(items)}


def started(server: KfpServer, tidegate: Tidegate, *words: str) -> Any:
    """A run that was submitted."""
    assert tidegate("submit", "--unchecked", *words)[0] == 0
    return list(server.kubeflow.runs.values())[-1]


def failed(server: KfpServer, tidegate: Tidegate) -> Any:
    """A run whose step `validate` failed in its second attempt, and said why."""
    run = started(server, tidegate)
    states = {"pull": "SUCCEEDED", "ingest": "SUCCEEDED", "validate": "FAILED", "featurize": OMITTED}
    server.kubeflow.progress = lambda found: tell(found, "FAILED", states, attempts=2)
    server.kubeflow.logs[pod_name("validate", 1)] = said
    return run


@pytest.mark.parametrize("route", [API_LOG, API_LOG.replace("v1alpha1", "v2beta1"), UI_LOG])
def test_the_errors_of_the_step_that_failed(server: KfpServer, tidegate: Tidegate, route: str) -> None:
    server.log_route = route
    run = failed(server, tidegate)
    code, out, err = tidegate("logs", run.run_id)
    assert (code, err) == (0, "")
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[:2] == [f"run {run.run_id}: failed", f"{server.url}/#/runs/details/{run.run_id}"]
    assert "validate   failed     12 s" in lines and "featurize  not run" in lines
    assert lines[lines.index("validate") + 1 :] == [
        "  error: flights: column temp: expected it, found nothing",
        "  error: mend the data or contract.yaml; MLflow has the report in validate/ of run 0123",
        "  MLflow has the report, in validate/ of the run with the tag tidegate.validation = refused",
    ]
    told = json.loads(tidegate("logs", run.run_id, "--json")[1])
    expected = {"reason": None, "cure": None, "log": own, "launcher": before + after}
    assert told["details"] == {"validate": expected} and told["state"] == "failed"


def test_a_whole_log_begins_with_the_steps_own_lines(server: KfpServer, tidegate: Tidegate) -> None:
    run = failed(server, tidegate)
    lines = [line.strip() for line in tidegate("logs", run.run_id, "validate")[1].splitlines()]
    around = [line.strip() for line in (before, after)]
    expected = ["validate", *own.splitlines(), "", "Kubeflow's program around it:", *around]
    assert lines[-len(expected) :] == expected


@pytest.mark.usefixtures("kubeconfig")
def test_what_a_workflow_says_of_a_driver_has_the_cure_of_drivers(server: KfpServer, tidegate: Tidegate) -> None:
    run = server.replay("driver-retried-failed")
    _, out, _ = tidegate("logs", run.run_id)
    assert "\npull: its driver: main: Error (exit code 1)\n  cure: Argo ran the driver of a step again" in out


@pytest.mark.parametrize("asked", [0, 2])
def test_a_real_log_is_found_by_the_pod_or_by_its_node(server: KfpServer, tidegate: Tidegate, asked: int) -> None:
    run = server.replay("gate-refused")
    name, text = list(recordings.log_answers().items())[asked]
    server.kubeflow.logs = {name: text}
    code, out, _ = tidegate("logs", run.run_id)
    assert (code, out.splitlines()[-1].strip().partition(": expected")[0]) == (0, "error: the tracking store")
    assert "launcher_v2.go" not in out and "gate       failed     74 s" in out
    assert text.splitlines()[0] in tidegate("logs", run.run_id, "gate")[1]


def test_what_kubeflow_answers_where_it_has_no_log_is_none(server: KfpServer, tidegate: Tidegate) -> None:
    run = server.replay("gate-refused")
    server.kubeflow.logs.clear()
    _, out, _ = tidegate("logs", run.run_id)
    assert "no log: its pod did not start" in out and "error_message" not in out


@pytest.mark.usefixtures("kubeconfig")
def test_a_workflow_outlives_its_pods(server: KfpServer, tidegate: Tidegate) -> None:
    run = server.replay("gate-refused")
    assert "\ngate: Error, exit code 1\n" in tidegate("logs", run.run_id)[1]
    server.kubernetes[PODS] = listed()
    assert "\ngate: main: Error (exit code 1)\n" in tidegate("logs", run.run_id)[1]
    server.kubernetes[WORKFLOWS] = None
    assert "\ngate\n" in tidegate("logs", run.run_id)[1]


@pytest.mark.usefixtures("kubeconfig")
def test_the_log_of_a_step_that_runs_comes_from_kubernetes(server: KfpServer, tidegate: Tidegate) -> None:
    run = started(server, tidegate)
    server.kubeflow.progress = lambda found: tell(found, "RUNNING", {"pull": "RUNNING"})
    server.kubernetes[f"{PODS}/{pod_name('pull')}/log"] = said
    assert "reading flights.csv" in tidegate("logs", run.run_id, "pull")[1]


@pytest.mark.parametrize("known", [True, False])
def test_a_driver_that_failed_is_told_with_what_it_said(server: KfpServer, tidegate: Tidegate, known: bool) -> None:
    run = server.replay("driver-retried-failed")
    line = "F1128 21:57:54.000000      16 main.go:101] KFP driver: driver.Container(%s) failed: "
    reason = 'two tasks have the same task name "collect", id1=3 id2=4'
    name = "tidegate-training-chrnq-system-container-driver-1572670183"
    server.kubeflow.logs = {name: f"{line}{reason}\n"} if known else {}
    _, out, _ = tidegate("logs", run.run_id)
    assert "\npull: its driver failed" in out and "  cure: Argo ran the driver of a step again" in out
    assert (reason in out) == known and "submit again" in out


def test_one_that_was_cancelled_did_not_fail(server: KfpServer, tidegate: Tidegate) -> None:
    run = server.replay("cancelled")
    _, out, _ = tidegate("logs", run.run_id)
    assert f"run {run.run_id}: cancelled" in out and "pull       cancelled" in out and "failed" not in out
    assert json.loads(tidegate("logs", run.run_id, "--json")[1])["state"] == "cancelled"


@pytest.mark.usefixtures("kubeconfig")
def test_how_argo_stops_a_cancelled_run_is_no_reason(server: KfpServer, tidegate: Tidegate) -> None:
    for case in ("cancelled", "image-not-there"):
        assert "deadline" not in tidegate("logs", server.replay(case).run_id)[1]


def test_a_log_without_errors_of_ours_is_shown_by_its_end(server: KfpServer, tidegate: Tidegate) -> None:
    run = failed(server, tidegate)
    (pod,) = server.kubeflow.logs
    server.kubeflow.logs[pod] = "".join(f"line {number}\n" for number in range(50))
    out = tidegate("logs", run.run_id)[1]
    assert "line 30\n" in out and "line 49\n" in out and "line 29\n" not in out


def test_a_log_that_nobody_gives_is_said_to_be_gone(server: KfpServer, tidegate: Tidegate) -> None:
    run = failed(server, tidegate)
    server.kubeflow.logs.clear()
    code, out, _ = tidegate("logs", run.run_id)
    assert code == 0 and "no log: its pod did not start, is gone, or is not yours" in out


def test_what_kubeflow_itself_says_of_a_task_is_told(server: KfpServer, tidegate: Tidegate) -> None:
    run = started(server, tidegate)

    def progress(found: Any) -> None:
        tell(found, "FAILED", {"pull": DRIVER_FAILED})
        for task in found.run_details.task_details:
            if task.display_name == "pull-driver":
                task.error = api.GoogleRpcStatus(code=13, message="secret tidegate-data not found")

    server.kubeflow.progress = progress
    assert "\npull: secret tidegate-data not found\n" in tidegate("logs", run.run_id)[1]


def waiting(reason: str, message: str) -> dict[str, Any]:
    return {"containerStatuses": [{**MAIN, "state": {"waiting": {"reason": reason, "message": message}}}]}


def ended(reason: str, code: int) -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason}}
    return {"phase": "Failed", "containerStatuses": [{**MAIN, "state": state}]}


UNSCHEDULABLE = {
    "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}
    ]
}


@pytest.mark.usefixtures("kubeconfig")
@pytest.mark.parametrize(
    ("status", "sentence", "cure"),
    [
        (ended("OOMKilled", 137), "OOMKilled, exit code 137", "steps.validate.memory"),
        (waiting("ImagePullBackOff", "Back-off pulling"), "ImagePullBackOff: Back-off pulling", "kind load"),
        (waiting("ErrImagePull", "not found"), "ErrImagePull: not found", "kind load"),
        (waiting("InvalidImageName", "a b"), "InvalidImageName: a b", "correct image in cluster.yaml"),
        (waiting("CreateContainerConfigError", 'secret "s" not found'), 'secret "s" not found', "tidegate doctor"),
        (UNSCHEDULABLE, "Unschedulable: 0/1 nodes are available", "node_selector"),
        ({**ended("Error", 137), "reason": "Evicted", "message": "low on memory"}, "Evicted: low on memory", "submit"),
        ({"phase": "Failed", "reason": "DeadlineExceeded"}, "DeadlineExceeded", "steps.validate.timeout"),
    ],
)
def test_what_kubernetes_says_of_a_pod_is_told_with_its_cure_while_it_happens(
    server: KfpServer, tidegate: Tidegate, status: dict[str, Any], sentence: str, cure: str
) -> None:
    run = started(server, tidegate)
    server.kubernetes[PODS] = listed(pod(run, f"{place('validate')}(0).executor(0)", status))
    for whole, state in (("RUNNING", "PENDING"), ("RUNNING", "RUNNING"), ("FAILED", "FAILED")):
        tell(run, whole, {"pull": "SUCCEEDED", "validate": state})
        lines = tidegate("logs", run.run_id)[1].splitlines()
        (number,) = [number for number, line in enumerate(lines) if line.startswith("validate: ")]
        assert sentence in lines[number] and lines[number + 1].startswith("  cure: ") and cure in lines[number + 1]
        row = json.loads(tidegate("runs", "--json")[1])[0]
        assert row["reason"].startswith("validate: ") and sentence in row["reason"] and cure in row["reason"]
        assert row["reason"] in tidegate("runs")[1]


@pytest.mark.usefixtures("kubeconfig")
def test_a_pod_of_a_driver_is_told_as_one(server: KfpServer, tidegate: Tidegate) -> None:
    run = started(server, tidegate)
    server.kubeflow.progress = lambda found: tell(found, "RUNNING", {"collect": "SUCCEEDED"})
    server.kubernetes[PODS] = listed(pod(run, f"{place('pull')}-driver(0)", UNSCHEDULABLE))
    assert "\npull: its driver: Unschedulable: 0/1 nodes are available\n" in tidegate("logs", run.run_id)[1]
    server.kubernetes[PODS] = listed(pod(run, "w(0).root-driver(0)", UNSCHEDULABLE))
    assert "\nroot: its driver: Unschedulable: 0/1 nodes are available\n" in tidegate("logs", run.run_id)[1]


@pytest.mark.usefixtures("kubeconfig")
def test_where_kubernetes_does_not_tell_the_rest_is_told_all_the_same(server: KfpServer, tidegate: Tidegate) -> None:
    run = failed(server, tidegate)
    server.kubernetes |= {PODS: None, WORKFLOWS: None}
    assert "\nvalidate\n" in tidegate("logs", run.run_id)[1]
    assert json.loads(tidegate("runs", "--json")[1])[0]["reason"] == "validate: failed"


def test_a_step_that_was_killed_is_told_by_what_kubeflow_wrote(server: KfpServer, tidegate: Tidegate) -> None:
    run = failed(server, tidegate)
    server.kubeflow.logs[pod_name("validate", 1)] = f"{before}{after.replace('exit status 2', 'signal: killed')}"
    told = json.loads(tidegate("logs", run.run_id, "--json")[1])["details"]["validate"]
    assert told["reason"] == "signal: killed" and "steps.validate.memory" in told["cure"]


def test_what_stops_the_run_as_a_whole_is_told(server: KfpServer, tidegate: Tidegate) -> None:
    run = started(server, tidegate)
    tell(run, "FAILED", {})
    run.error = api.GoogleRpcStatus(code=13, message="workflows is forbidden: exceeded quota: runs")
    _, out, _ = tidegate("logs", run.run_id)
    assert "\nrun: workflows is forbidden: exceeded quota: runs\n  cure: wait for other runs" in out
    assert "no log" not in out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("nonsense",), "run: expected the id of a run, as `tidegate runs` lists them, found nonsense"),
        ((str(uuid.UUID(int=1)),), "404 (no such thing there): ResourceNotFoundError"),
        (
            ("RUN", "fit"),
            "step: expected one of collect, pull, ingest, validate, featurize, gate, train, evaluate, deploy",
        ),
    ],
)
def test_what_there_is_none_of(server: KfpServer, tidegate: Tidegate, words: tuple[str, ...], line: str) -> None:
    run = started(server, tidegate)
    code, out, err = tidegate("logs", *(word.replace("RUN", run.run_id) for word in words))
    assert (code, out) == (2, "") and line in err


def test_runs_are_listed_with_the_newest_first(server: KfpServer, tidegate: Tidegate) -> None:
    assert tidegate("runs") == (0, "no runs yet: see `tidegate submit`\n", "")
    found = [started(server, tidegate, "--until", f"2013-0{month}-01") for month in (4, 5, 6)]
    tell(found[0], "SUCCEEDED", {})
    code, out, err = tidegate("runs", "--limit", "2")
    lines = out.splitlines()
    assert (code, err) == (0, "") and [line.split()[0] for line in lines[1:3]] == [found[2].run_id, found[1].run_id]
    assert lines[1].split()[1:] == ["2026-01-01", "00:02", "2013-06-01", "starting"]
    assert lines[-1].strip() == f"pages: {server.url}/#/runs/details/RUN"
    told = json.loads(tidegate("runs", "--json")[1])
    assert told[-1] == {
        "id": found[0].run_id,
        "when": "2026-01-01T00:00:00+00:00",
        "until": "2013-04-01",
        "state": "succeeded",
        "reason": None,
        "decision": None,
        "link": f"{server.url}/#/runs/details/{found[0].run_id}",
    }


def test_a_run_by_the_clock_is_listed_with_the_day_that_it_was_scheduled_for(
    server: KfpServer, tidegate: Tidegate
) -> None:
    run = started(server, tidegate)
    run.runtime_config.parameters["ingest_until"] = ""
    run.scheduled_at = recordings.run("scheduled-failed").scheduled_at
    assert json.loads(tidegate("runs", "--json")[1])[0]["until"] == "2026-11-28"


@pytest.mark.parametrize(
    ("case", "state", "reason"),
    [
        ("gate-refused", "failed", "gate: failed"),
        ("cancelled", "cancelled", "pull: cancelled"),
        ("scheduled-failed", "failed", "ingest: failed"),
        ("shut-gate-succeeded", "succeeded", None),
    ],
)
def test_a_real_run_is_listed_with_its_reason(
    server: KfpServer, tidegate: Tidegate, case: str, state: str, reason: str | None
) -> None:
    experiment = started(server, tidegate).experiment_id
    server.replay(case).experiment_id = experiment
    row = json.loads(tidegate("runs", "--json")[1])[0]
    assert (row["state"], row["reason"]) == (state, reason)
    assert (f"{row['id']} {reason}" in tidegate("runs")[1]) == bool(reason)


def test_every_page_of_runs_is_read(server: KfpServer, tidegate: Tidegate) -> None:
    run = started(server, tidegate)
    for number in range(120):
        other = api.V2beta1Run(experiment_id=run.experiment_id, run_id=str(uuid.UUID(int=number)), state="SUCCEEDED")
        other.created_at = datetime(2026, 1, 2, tzinfo=UTC)
        server.kubeflow.runs[other.run_id] = other
    assert len(json.loads(tidegate("runs", "--json", "--limit", "500")[1])) == 121
    assert len(json.loads(tidegate("runs", "--json")[1])) == 20


def test_the_gates_decision_is_listed_where_mlflow_knows_it(
    server: KfpServer, tidegate: Tidegate, migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlflow.db").write_bytes(migrated.read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    found = [started(server, tidegate, "--until", until) for until in ("2013-04-01", "2013-05-01", "2013-05-01")]
    tell(found[0], "SUCCEEDED", {})
    tell(found[1], "FAILED", {})
    decided.decide("retrain", "2013-04-01")
    decided.decide("keep", "2013-05-01", found[2].run_id)
    rows = json.loads(tidegate("runs", "--json")[1])
    # The one that failed asked about the same batch as the newest, and was told nothing.
    assert [row["decision"] for row in rows] == ["keep", None, "retrain"]


def test_of_a_task_that_runs_several_steps_the_lines_of_one_are_cut_out() -> None:
    log = "step 1 of 2: ingest\n3 tables\nstep 2 of 2: validate\nerror: a\nerror: b\n"
    assert of_step(log, "ingest") == "3 tables\n"
    assert of_step(log, "validate") == "error: a\nerror: b\n"
    assert of_step(log, "featurize") == log
    assert of_step("error: alone\n", "gate") == "error: alone\n"
