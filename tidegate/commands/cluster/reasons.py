"""Finds why steps fail or do not start, from Kubernetes, Argo and Kubeflow, with cures; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tidegate.commands.cluster.states import State, cancelled_at, latest

FILE = "cluster.yaml"
IMAGE = (
    f"push it to where the nodes pull from, or load it into them (kind load docker-image); or correct image in {FILE}"
)
AGAIN = "Argo ran the driver of a step again, which Kubeflow does not take: submit again"
# The first pattern that the message contains; `{step}` is the step's name.
CURES: Mapping[str, str] = {
    "ImagePullBackOff|ErrImagePull|InvalidImageName|ErrImageNeverPull": IMAGE,
    "OOMKilled|signal: killed": f"give it more: steps.{{step}}.memory in {FILE}",
    "Evicted": f"its node ran short: request what it needs, steps.{{step}}.memory in {FILE}, and submit again",
    "Unschedulable": f"no node has room for it or may take it: correct steps.{{step}} (cpu, memory, node_selector, "
    f"tolerations) in {FILE}, or add a node",
    "CreateContainerConfigError": "make what is missing: see `tidegate doctor`",
    "exceeded quota": "wait for other runs, or raise the quota of the namespace",
    "is forbidden": "see the policies of the namespace, or ask who runs the cluster",
    "[Dd]eadline": f"if it works and needs longer, raise steps.{{step}}.timeout in {FILE}",
    "two tasks have the same task name": AGAIN,
    "pod deleted": "its node went away, or somebody took it away: submit again",
}
# Waiting does not help: the image must change. ErrImagePull precedes the first of them and may be temporary.
HOPELESS = re.compile("ImagePullBackOff|InvalidImageName|ErrImageNeverPull")
DRIVER = "its driver"
RUN = "run"  # instead of a step, for a reason that concerns the whole run
RERUN = re.compile(r".+-driver\([1-9]\d*\)")


class Seen(NamedTuple):
    """A pod of a step or of its driver, and what is wrong with it; empty for a healthy one."""

    step: str
    driver: bool
    attempt: int
    pod: str
    reason: str


class Trouble(NamedTuple):
    """Why a step does not run, and the cure; `hopeless` when waiting does not help."""

    step: str
    reason: str
    cure: str
    hopeless: bool

    def __str__(self) -> str:
        return f"{self.step}: {self.reason}" + (f"; {self.cure}" if self.cure else "")


def troubles(step_states: Sequence[State], run: Any, pods: Sequence[Seen]) -> list[Trouble]:
    """Why the run and each step that did not succeed failed, from Kubeflow or else from Kubernetes."""
    open_ = [state for state in step_states if state.state not in ("succeeded", "skipped", "not run")]
    of_steps = [trouble for state in open_ for trouble in _of(state, run, pods)]
    names = {state.step for state in step_states}
    stopped = run.state != "SUCCEEDED" and not cancelled_at(run)
    others = [item for item in pods if stopped and item.step not in names and item.reason]
    of_all = [trouble(RUN, run.error.message)] if run.error and run.error.message else []
    return [*of_all, *of_steps, *(trouble(item.step, f"{DRIVER}: {item.reason}") for item in others)]


def trouble(step: str, reason: str) -> Trouble:
    """A reason with its cure."""
    cure = next((cure for pattern, cure in CURES.items() if re.search(pattern, reason)), "")
    return Trouble(step, reason, cure.format(step=step), bool(HOPELESS.search(reason)))


def _of(state: State, run: Any, pods: Sequence[Seen]) -> Iterator[Trouble]:
    reason = _said(run, state.step) or _pod_reason(state.step, pods)
    if cancelled_at(run) and "deadline" in reason.lower():
        return  # Argo's way to stop a cancelled step
    cause = trouble(state.step, reason)
    if state.state == "failed" and driver_failed(run, state.step) and not cause.cure:
        rerun = any(RERUN.fullmatch(name) for name in latest(run))
        cure = AGAIN if rerun else "see its log, and submit again"
        yield cause._replace(reason=reason or f"{DRIVER} failed", cure=cure)
    elif reason:
        yield cause


def driver_failed(run: Any, step: str) -> bool:
    """Whether the driver failed to start the pod of a step."""
    driver = latest(run).get(f"{step}-driver")
    return driver is not None and driver.state == "FAILED"


def _said(run: Any, step: str) -> str:
    """Kubeflow's own message; empty before 2.18."""
    tasks = latest(run)
    errors = [tasks[name].error for name in (step, f"{step}-driver") if name in tasks]
    return next((error.message for error in errors if error and error.message), "")


def _pod_reason(step: str, pods: Sequence[Seen]) -> str:
    """The step's own pods before its driver's, the last attempt first."""
    own = sorted((item for item in pods if item.step == step and item.reason), key=lambda item: item.attempt)
    reasons = [item.reason for item in reversed(own) if not item.driver]
    drivers = [f"{DRIVER}: {item.reason}" for item in reversed(own) if item.driver]
    return next(iter([*reasons, *drivers]), "")
