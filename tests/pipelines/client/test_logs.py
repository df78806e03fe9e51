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

from pipelines import kubeflow, steps
from pipelines.client import pods
from tests.pipelines import decided, kubeconfigs
from tests.pipelines.kfp_server import API_LOG, UI_LOG, KfpServer
from tests.pipelines.kfp_tasks import DRIVER_FAILED, OMITTED, WORKFLOW, tell

Tidegate = Callable[..., tuple[int, str, str]]
said = """I1120 12:00:00.000000       1 launcher_v2.go:123] starting
reading flights.csv
error: flights: column temp: expected it, found nothing
error: mend the data or contract.yaml; MLflow has the report in validate/ of run 0123
F1120 12:00:09.000000       1 main.go:54] exit status 2
"""


def started(server: KfpServer, tidegate: Tidegate, *words: str) -> Any:
    """A run that was submitted."""
    assert tidegate("submit", "--unchecked", *words)[0] == 0
    return list(server.kubeflow.runs.values())[-1]


def failed(server: KfpServer, tidegate: Tidegate) -> Any:
    """A run whose step `validate` failed in its second attempt, and said why."""
    run = started(server, tidegate)
    states = {"pull": "SUCCEEDED", "ingest": "SUCCEEDED", "validate": "FAILED", "featurize": OMITTED}
    server.kubeflow.progress = lambda found: tell(found, "FAILED", states, attempts=2)
    server.kubeflow.progress(run)
    ir, platform = kubeflow.parts(kubeflow.compile(steps.IMAGE))
    server.kubeflow.logs[pods.names(ir, platform, "validate", run)[0]] = said
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
    assert said.splitlines()[0] in tidegate("logs", run.run_id, "validate")[1]
    told = json.loads(tidegate("logs", run.run_id, "--json")[1])
    assert told["told"] == {"validate": {"reason": None, "log": said}} and told["state"] == "failed"


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
    assert code == 0 and "no log: its pod is gone, or not yours to read" in out


def test_what_kubeflow_itself_says_of_a_task_is_told(server: KfpServer, tidegate: Tidegate) -> None:
    run = started(server, tidegate)

    def progress(found: Any) -> None:
        tell(found, "FAILED", {"pull": DRIVER_FAILED})
        for task in found.run_details.task_details:
            if task.display_name == "pull-driver":
                task.error = api.GoogleRpcStatus(code=13, message="secret tidegate-data not found")

    server.kubeflow.progress = progress
    assert "\npull: secret tidegate-data not found\n" in tidegate("logs", run.run_id)[1]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            {"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
            "OOMKilled, exit code 137",
        ),
        (
            {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}},
            "ImagePullBackOff: Back-off pulling image",
        ),
    ],
)
def test_what_kubernetes_says_of_a_pod_is_told_where_there_is_a_kubeconfig(
    server: KfpServer,
    tidegate: Tidegate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: dict[str, Any],
    sentence: str,
) -> None:
    path = kubeconfigs.write(tmp_path / "kubeconfig", server.url)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", path)
    run = failed(server, tidegate)
    node = f"{WORKFLOW}.root.validate.executor(1)"
    container = {"name": "main", "image": "i", "imageID": "", "ready": False, "restartCount": 0, **status}
    metadata = {"name": "a-pod", "annotations": {"workflows.argoproj.io/node-name": node}}
    pod = {"metadata": metadata, "status": {"containerStatuses": [container]}}
    server.kubernetes["/api/v1/namespaces/kubeflow/pods"] = {"kind": "PodList", "apiVersion": "v1", "items": [pod]}
    assert f"\nvalidate: {sentence}\n" in tidegate("logs", run.run_id)[1]
    assert f"labelSelector=pipeline%2Frunid%3D{run.run_id}" in "".join(item.path for item in server.received)
    server.kubernetes["/api/v1/namespaces/kubeflow/pods"] = None
    assert "\nvalidate\n" in tidegate("logs", run.run_id)[1]


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
        "decision": None,
        "link": f"{server.url}/#/runs/details/{found[0].run_id}",
    }


def test_every_page_of_runs_is_read(server: KfpServer, tidegate: Tidegate) -> None:
    run = started(server, tidegate)
    for number in range(120):
        other = api.V2beta1Run(experiment_id=run.experiment_id, run_id=str(uuid.UUID(int=number)), state="SUCCEEDED")
        other.created_at = datetime(2026, 1, 2, tzinfo=UTC)
        server.kubeflow.runs[other.run_id] = other
    assert len(json.loads(tidegate("runs", "--json", "--limit", "500")[1])) == 121
    assert len(json.loads(tidegate("runs", "--json")[1])) == 20


def test_the_gates_decision_is_listed_where_mlflow_knows_it(
    server: KfpServer, tidegate: Tidegate, template_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlflow.db").write_bytes(template_store.read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    found = [started(server, tidegate, "--until", until) for until in ("2013-04-01", "2013-05-01", "2013-05-01")]
    tell(found[0], "SUCCEEDED", {})
    tell(found[1], "FAILED", {})
    decided.decide("retrain", "2013-04-01")
    decided.decide("keep", "2013-05-01", found[2].run_id)
    rows = json.loads(tidegate("runs", "--json")[1])
    # The one that failed asked about the same batch as the newest, and was told nothing.
    assert [row["decision"] for row in rows] == ["keep", None, "retrain"]
