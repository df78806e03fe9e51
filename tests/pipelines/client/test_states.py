"""What becomes of Kubeflow's tasks: a state per step, and the names of the pods behind it."""

from datetime import UTC, datetime
from typing import Any

import kfp_server_api as api
import pytest

from pipelines import kubeflow, steps
from pipelines.client.pods import fnv1a, names
from pipelines.client.states import State, states
from tests.pipelines.kfp_tasks import BEGIN, DRIVER_FAILED, OMITTED, WORKFLOW, tell

now = BEGIN.replace(minute=30)


def run(state: str, tasks: dict[str, str | None], attempts: int = 0) -> Any:
    found = api.V2beta1Run()
    tell(found, state, tasks, attempts)
    return found


@pytest.mark.parametrize(
    ("state", "tasks", "expected"),
    [
        ("PENDING", {}, State("gate", "waiting", None)),
        ("RUNNING", {"gate": "PENDING"}, State("gate", "starting", None)),
        ("RUNNING", {"gate": "RUNNING"}, State("gate", "running", 29 * 60.0)),
        ("RUNNING", {"gate": "SUCCEEDED"}, State("gate", "succeeded", 12.0)),
        ("RUNNING", {"gate": OMITTED}, State("gate", "waiting", None)),
        ("SUCCEEDED", {"gate": "RUNNING"}, State("gate", "succeeded", None)),  # it was told before its end was
        ("SUCCEEDED", {"gate": "SKIPPED"}, State("gate", "skipped", 12.0)),
        ("SUCCEEDED", {}, State("gate", "skipped", None)),
        ("FAILED", {"gate": "FAILED"}, State("gate", "failed", 12.0)),
        ("FAILED", {"gate": "RUNNING"}, State("gate", "failed", None)),
        ("FAILED", {"gate": OMITTED}, State("gate", "not run", None)),
        ("FAILED", {"gate": DRIVER_FAILED}, State("gate", "failed", 12.0)),
        ("FAILED", {}, State("gate", "not run", None)),
        ("CANCELED", {"gate": "RUNNING"}, State("gate", "cancelled", None)),
        ("CANCELING", {"gate": "RUNNING"}, State("gate", "running", 29 * 60.0)),
        ("RUNNING", {"gate": "A_STATE_OF_TOMORROW"}, State("gate", "a_state_of_tomorrow", 12.0)),
    ],
)
def test_every_state_has_a_word(state: str, tasks: dict[str, str | None], expected: State) -> None:
    assert states(["gate"], run(state, tasks), now) == [expected]


def test_a_run_of_which_nothing_is_known_yet_has_steps_all_the_same() -> None:
    found = api.V2beta1Run(state="PENDING")
    assert states(["pull", "gate"], found, datetime.now(UTC)) == [
        State("pull", "waiting", None),
        State("gate", "waiting", None),
    ]


@pytest.mark.parametrize(("text", "digest"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)])
def test_the_digest_is_the_one_that_everybody_knows(text: str, digest: int) -> None:
    assert fnv1a(text) == digest


def test_a_pod_is_called_as_it_was_on_a_cluster_with_kubeflow_2_16() -> None:
    """`general-cpu-rnggt-retry-system-container-impl-1467617326` was the pod of a first attempt."""
    task = {"componentRef": {"name": "comp"}, "retryPolicy": {"maxRetryCount": 2}}
    ir = {"root": {"dag": {"tasks": {"workspace-name": task}}}, "components": {"comp": {"executorLabel": "exec"}}}
    found = run("FAILED", {"workspace-name": "FAILED"}, attempts=1)
    for item in found.run_details.task_details:
        for child in item.child_tasks or []:
            child.pod_name = child.pod_name.replace(WORKFLOW, "general-cpu-rnggt")
    assert names(ir, {}, "workspace-name", found) == [
        "general-cpu-rnggt-retry-system-container-impl-1467617326",
        "general-cpu-rnggt-retry-system-container-impl-807657059",
    ]


def test_the_last_attempt_comes_first_and_a_group_is_part_of_the_place() -> None:
    ir, platform = kubeflow.parts(kubeflow.compile(steps.IMAGE))
    found = names(ir, platform, "train", run("FAILED", {"train": "FAILED"}, attempts=3))
    place = f"{WORKFLOW}.root.condition-1.train"
    nodes = [f"{place}.executor(2)", f"{place}.executor(1)", f"{place}.executor(0)", f"{place}.executor"]
    prefix = f"{WORKFLOW}-metadata-0-1-retry-system-container-impl"  # it is retried, and has a label of ours
    assert found == [f"{prefix}-{fnv1a(node)}" for node in nodes]
    assert names(ir, platform, "train", api.V2beta1Run(state="PENDING")) == []
