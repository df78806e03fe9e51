"""What DVC cannot express is refused by name instead of being rendered wrongly."""

from typing import Any

import pytest
from kfp import dsl
from kfp.dsl import Artifact, Input, Output, OutputPath

from tidegate.pipelines import kubeflow
from tidegate.pipelines.graph import Parameter, Port, tasks
from tidegate.process.errors import InputError


@dsl.container_component
def decide(mode: str, document: Output[Artifact], retrain: OutputPath(bool)):  # type: ignore[no-untyped-def, valid-type]
    return dsl.ContainerSpec(
        image="x", command=["run"], args=["--mode", mode, "--document", document.path, "--retrain", retrain]
    )


@dsl.container_component
def use(document: Input[Artifact], result: Output[Artifact]):  # type: ignore[no-untyped-def]
    return dsl.ContainerSpec(image="x", command=["run"], args=["--document", document.path, "--result", result.path])


@dsl.container_component
def obey(retrain: bool, result: Output[Artifact]):  # type: ignore[no-untyped-def]
    return dsl.ContainerSpec(image="x", command=["run"], args=["--retrain", retrain, "--result", result.path])


@dsl.container_component
def collect(given: str, data_dvc: OutputPath(str)):  # type: ignore[no-untyped-def, valid-type]
    return dsl.ContainerSpec(image="x", command=["run"], args=["--given", given, "--data_dvc", data_dvc])


@dsl.container_component
def pull(data_dvc: str, data: Output[Artifact]):  # type: ignore[no-untyped-def]
    return dsl.ContainerSpec(image="x", command=["run"], args=["--data_dvc", data_dvc, "--data", data.path])


@dsl.pipeline(name="inner")
def inner(mode: str):  # type: ignore[no-untyped-def]
    decide(mode=mode)


def open_gate(gate_mode: str) -> None:
    gate = decide(mode=gate_mode)
    with dsl.If(gate.outputs["retrain"] == True, name="retrain"):
        use(document=gate.outputs["document"])


def shut_gate(gate_mode: str) -> None:
    gate = decide(mode=gate_mode)
    with dsl.If(gate.outputs["retrain"] == False):
        use(document=gate.outputs["document"])


def other_operator(gate_mode: str) -> None:
    gate = decide(mode=gate_mode)
    with dsl.If(gate.outputs["retrain"] != True):
        use(document=gate.outputs["document"])


def a_parameter(gate_mode: str, gate_flag: bool) -> None:
    gate = decide(mode=gate_mode)
    with dsl.If(gate_flag == True):
        use(document=gate.outputs["document"])


def an_else(gate_mode: str) -> None:
    gate = decide(mode=gate_mode)
    with dsl.If(gate.outputs["retrain"] == True):
        use(document=gate.outputs["document"])
    with dsl.Else():
        use(document=gate.outputs["document"])


def a_nest(gate_mode: str) -> None:
    gate = decide(mode=gate_mode)
    with dsl.If(gate.outputs["retrain"] == True):
        again = decide(mode=gate_mode)
        with dsl.If(again.outputs["retrain"] == True):
            use(document=gate.outputs["document"])


def a_loop(gate_mode: str) -> None:
    with dsl.ParallelFor(["a", "b"]):
        decide(mode=gate_mode)


def a_loop_in_the_gate(gate_mode: str) -> None:
    gate = decide(mode=gate_mode)
    with dsl.If(gate.outputs["retrain"] == True), dsl.ParallelFor(["a", "b"]):
        use(document=gate.outputs["document"])


def an_exit_handler(gate_mode: str) -> None:
    last = decide(mode=gate_mode)
    with dsl.ExitHandler(last):
        decide(mode=gate_mode)


def a_pipeline(gate_mode: str) -> None:
    inner(mode=gate_mode)


def a_constant(gate_mode: str) -> None:
    decide(mode="auto")


def a_value(gate_mode: str) -> None:
    obey(retrain=decide(mode=gate_mode).outputs["retrain"])


def an_order(gate_mode: str) -> None:
    decide(mode=gate_mode).after(decide(mode=gate_mode))


def test_the_one_condition_is_flattened() -> None:
    decided, used = tasks(kubeflow.ir(dsl.pipeline(name="test")(open_gate)))
    assert (decided.condition, decided.group) == (None, None)
    assert (used.name, used.condition, used.group) == ("use", Port("decide", "retrain"), "retrain")
    assert used.inputs == {"document": Port("decide", "document")}


def test_a_step_that_only_a_cluster_runs_may_take_a_value() -> None:
    @dsl.pipeline(name="test")
    def fed(pull_data_dvc: str) -> None:
        pull(data_dvc=collect(given=pull_data_dvc).outputs["data_dvc"])

    collected, pulled = tasks(kubeflow.ir(fed))
    assert collected.inputs == {"given": Parameter("pull_data_dvc", "STRING")}
    assert pulled.inputs == {"data_dvc": Port("collect", "data_dvc")}


def test_what_only_kubeflow_knows_is_for_the_steps_that_only_a_cluster_runs() -> None:
    @dsl.pipeline(name="test")
    def asked() -> None:
        collect(given=dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER)

    @dsl.pipeline(name="test")
    def told() -> None:
        decide(mode=dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER)

    (collected,) = tasks(kubeflow.ir(asked))
    assert collected.inputs == {}
    with pytest.raises(InputError, match=r"^pipeline, decide, mode: "):
        tasks(kubeflow.ir(told))


def test_a_value_that_such_a_step_hands_on_is_on_a_laptop_a_parameter_of_the_step_that_takes_it() -> None:
    @dsl.pipeline(name="test")
    def handed(pull_data_dvc: str) -> None:
        decide(mode=collect(given=pull_data_dvc).outputs["data_dvc"])

    collected, decided = tasks(kubeflow.ir(handed))
    source = Port("collect", "data_dvc")
    assert decided.inputs == {"mode": Parameter("decide_mode", "STRING", handed_on_by=source)}
    assert decided.sources() == [source] and collected.sources() == []


REFUSED: list[Any] = [
    (shut_gate, "condition-1"),
    (other_operator, "condition-1"),
    (a_parameter, "condition-1"),
    (an_else, "condition-branches-1"),
    (a_nest, "condition-2"),
    (a_loop, "for-loop-2"),
    (a_loop_in_the_gate, "for-loop-3"),
    (an_exit_handler, "decide"),
    (a_pipeline, "inner"),
    (a_constant, "decide, mode"),
    (a_value, "obey, retrain"),
    (an_order, "decide"),
]


@pytest.mark.parametrize(("function", "thing"), REFUSED)
def test_anything_else_is_refused(function: Any, thing: str) -> None:
    with pytest.raises(InputError, match=f"^pipeline, {thing}"):
        tasks(kubeflow.ir(dsl.pipeline(name="test")(function)))
