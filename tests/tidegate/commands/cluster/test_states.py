"""What becomes of Kubeflow's tasks: a state per step, and the names of the pods behind it."""

from datetime import UTC, datetime
from typing import Any

import kfp_server_api as api
import pytest

from tests.tidegate.commands.cluster import recordings
from tests.tidegate.commands.cluster.kfp_tasks import (
    BEGIN,
    DRIVER_FAILED,
    OMITTED,
    WORKFLOW,
    driver_pod_name,
    pod_name,
    tell,
)
from tidegate.commands.cluster import pods
from tidegate.commands.cluster.pods import driver_names, fnv1a, names, nodes
from tidegate.commands.cluster.states import State, state_of, states, word
from tidegate.pipelines import graph, kubeflow, steps

now = BEGIN.replace(minute=30)


def run(state: str, tasks: dict[str, str | None], attempts: int = 1) -> Any:
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
        ("CANCELED", {"gate": "RUNNING"}, State("gate", "cancelled", 12.0)),
        ("CANCELED", {"gate": "SUCCEEDED"}, State("gate", "succeeded", 12.0)),
        ("CANCELED", {"gate": DRIVER_FAILED}, State("gate", "cancelled", 12.0)),
        ("CANCELED", {"gate": OMITTED}, State("gate", "not run", None)),
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
    place = ["general-cpu-rnggt", "root", "workspace-name", "executor"]
    attempt, without = nodes(place, ())[1:]
    assert [fnv1a(attempt), fnv1a(without)] == [1467617326, 807657059]


def compiled() -> tuple[dict[str, Any], dict[str, Any]]:
    return kubeflow.parts(kubeflow.compile(steps.IMAGE))


def test_the_last_attempt_comes_first_and_a_group_is_part_of_the_place() -> None:
    found = names(*compiled(), "train", run("FAILED", {"train": "FAILED"}, attempts=3))
    # After each pod its node, which Kubeflow takes in its place.
    assert found[::2] == [pod_name("train", 2), pod_name("train", 1), pod_name("train", 0)]
    assert found[1::2] == [f"{WORKFLOW}-{name.rpartition('-')[2]}" for name in found[::2]]
    assert names(*compiled(), "train", api.V2beta1Run(state="PENDING")) == []
    failed = run("FAILED", {"pull": DRIVER_FAILED})
    assert driver_names(compiled()[0], "pull", failed)[0] == driver_pod_name("pull")


@pytest.mark.parametrize("case", [case for case in recordings.CASES if recordings.document(case, "workflow")])
def test_the_pods_are_those_that_the_workflow_had(case: str) -> None:
    found = recordings.document(case, "workflow")["status"]["nodes"].values()
    ids = {node["name"]: node["id"] for node in found if node["type"] == "Pod"}
    ir, platform = compiled()
    for step in [task.name for task in graph.tasks(ir)]:
        own = [name for name in ids if f".{step}(0).executor(" in name]
        drivers = [name for name in ids if f".{step}-driver(" in name]
        if own:
            assert names(ir, platform, step, recordings.run(case))[1::2] == [ids[name] for name in own]
        if drivers:
            expected = {ids[name] for name in drivers}
            assert set(driver_names(ir, step, recordings.run(case))[1::2]) == expected


@pytest.mark.parametrize("case", [case for case in recordings.CASES if recordings.document(case, "pods")])
def test_the_pods_have_the_names_that_kubernetes_told(case: str) -> None:
    told = {item["metadata"]["name"] for item in recordings.document(case, "pods")["items"]}
    ir, platform = compiled()
    found = {
        name
        for step in [task.name for task in graph.tasks(ir)]
        for places in (names(ir, platform, step, recordings.run(case)), driver_names(ir, step, recordings.run(case)))
        for name in places
    }
    groups = {name for name in told if "system-dag-driver" in name}
    assert told - groups <= found


def test_where_nothing_is_known_both_forms_are_guessed() -> None:
    assert nodes(["w", "root", "gate", "executor"], ()) == [
        "w(0).root(0).gate(0).executor(0)",
        "w.root.gate.executor(0)",
        "w.root.gate.executor",
    ]


@pytest.mark.parametrize(
    ("case", "state", "expected"),
    [
        ("cancelled", "cancelled", [State("collect", "succeeded", 10.0), State("pull", "cancelled", 11.0)]),
        ("image-not-there", "cancelled", [State("collect", "cancelled", 118.0), State("pull", "not run", None)]),
        ("driver-retried-failed", "failed", [State("collect", "succeeded", 10.0), State("pull", "failed", 11.0)]),
        ("gate-refused", "failed", [State("gate", "failed", 74.0), State("train", "not run", None)]),
        ("shut-gate-succeeded", "succeeded", [State("gate", "succeeded", 110.0), State("train", "skipped", None)]),
        ("open-gate-succeeded", "succeeded", [State("deploy", "succeeded", 108.0)]),
    ],
)
def test_what_a_real_run_came_to(case: str, state: str, expected: list[State]) -> None:
    found = recordings.run(case)
    assert word(state_of(found)) == state
    assert states([item.step for item in expected], found, now) == expected


def shape(found: Any, ids: dict[str, str]) -> dict[tuple[str, str | None], list[set[str]]]:
    """The tasks by name and state; and of each the names of those that come after it."""
    shapes: dict[tuple[str, str | None], list[set[str]]] = {}
    for task in found.run_details.task_details:
        if task.display_name:
            names = [task.display_name, *(ids[child.pod_name] for child in task.child_tasks or [])]
            name, *after = [name.replace(next(iter(ids)), "workflow") for name in names]
            shapes.setdefault((name, task.state), []).append(set(after))
    return shapes


@pytest.mark.parametrize(
    ("case", "state", "tasks"),
    [
        ("cancelled", "CANCELED", {"collect": "SUCCEEDED", "pull": DRIVER_FAILED, "ingest": OMITTED, "gate": OMITTED}),
        ("image-not-there", "CANCELED", {"collect": "RUNNING", "pull": OMITTED, "gate": OMITTED}),
        ("gate-refused", "FAILED", {"collect": "SUCCEEDED", "pull": "SUCCEEDED", "gate": "FAILED"}),
    ],
)
def test_the_tasks_of_these_tests_have_the_shape_of_the_real_ones(
    case: str, state: str, tasks: dict[str, str | None]
) -> None:
    real, told = recordings.run(case), run(state, tasks)
    workflow = recordings.document(case, "workflow")
    real_ids = {node["id"]: node["displayName"] for node in workflow["status"]["nodes"].values()}
    name = workflow["metadata"]["name"]
    expected = shape(real, {name: name, **real_ids})
    for key, after in shape(told, {WORKFLOW: WORKFLOW, **told_ids(tasks)}).items():
        assert key in expected, f"{key} is not in {sorted(map(str, expected))}"
        # Which step waits for which is the pipeline's; the rest is Argo's and Kubeflow's.
        real_after = {item for found in expected[key] for item in found}
        assert {item for found in after for item in found if not item.endswith("-driver")} <= real_after
    asked = [item.state for item in real.state_history if item.state]
    assert [item.state for item in told.state_history] == asked and told.state == real.state


def told_ids(tasks: dict[str, str | None]) -> dict[str, str]:
    """The nodes that the tasks of these tests name, by their ids."""
    levels = [f"{WORKFLOW}(0)", f"{WORKFLOW}(0).root-driver", f"{WORKFLOW}(0).root-driver(0)", f"{WORKFLOW}(0).root"]
    places = [f"{WORKFLOW}(0).root(0).{step}" for step in (*tasks, "condition-1")]
    ends = ("", "(0)", "-driver", "-driver(0)", "(0).executor", "(0).executor(0)")
    found = [*levels, f"{WORKFLOW}(0).root(0)", *(f"{place}{end}" for place in places for end in ends)]
    return {pods.node_id(WORKFLOW, name): name.rpartition(".")[2] for name in found}
