"""Brings a version to an InferenceService: tried as a canary, promoted in the journal, followed by the predictor.

The predictor follows the journal, so the entry there moves the traffic for good. What a killed run leaves is a canary,
which names its version: the next run goes on with it, replaces it, or removes it.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from tidegate.process import limits
from tidegate.process.errors import InputError, UnavailableError
from tidegate.rollout.doors import ask
from tidegate.rollout.golden import Golden
from tidegate.rollout.inference_service import InferenceService, Spec, canary_of, check, check_ours
from tidegate.rollout.service_client import ServiceClient
from tidegate.rollout.trial import Trial, run
from tidegate.rollout.watch import UnfitError

Result = TypeVar("Result")
REHEARSED = "0"  # no version of the registry
ANSWERS_PER_POD = 10  # in a row by the new version, for each pod: one that lags would hardly be missed


def roll_out(trial: Trial, stable: Golden | None, promote: Callable[[], Result]) -> Result:
    """Try the version beside the one that serves (`stable`), promote it, and wait until the predictor follows.

    Returns what `promote` does. UnfitError when it does not pass; then, and after an error, the canary is removed. The
    first version is not tried: a predictor is not ready before there is a champion.
    """
    service = trial.client.read()
    check(service)
    if left := _left_over(service, trial.version):
        trial.tell(f"{service} has a canary of version {left}, left over by another run: it goes")
    result = promote() if stable is None else _try(trial, stable, service, promote)
    seconds = finish(trial.client, trial.golden)
    trial.tell(f"{service} serves version {trial.version}, {seconds:.0f} s after its promotion")
    return result


def rehearse(client: ServiceClient) -> InferenceService:
    """Ask KServe whether it would take a canary, and change nothing; InputError says why not."""
    check(client.read())
    return client.change(lambda now: canary_of(now, REHEARSED, "", 1), dry_run=True)


def _left_over(service: InferenceService, version: str) -> str | None:
    canary = service.canary
    return canary.version if canary and canary.version != version else None


def _try(trial: Trial, stable: Golden, service: InferenceService, promote: Callable[[], Result]) -> Result:
    if not service.ready:
        raise InputError(service, "one that is ready", service.why_not, "see `kubectl describe inferenceservice`")
    try:
        run(trial, stable, service)
        return promote()
    except SystemExit:
        trial.tell(f"version {trial.version} is still a canary of {service}: the next run goes on, or removes it")
        raise
    except (UnfitError, InputError, OSError):
        _undo(trial)
        raise


def _undo(trial: Trial) -> None:
    """Remove the canary; where even that fails, say who will."""
    try:
        clear(trial.client, trial.version)
    except (InputError, OSError):
        trial.tell(f"version {trial.version} may still be a canary of {trial.client}: the next run removes it")


def clear(client: ServiceClient, version: str | None = None) -> str | None:
    """Remove the canary of a version, or any of ours; returns the version that it was of."""
    canary = client.read().canary
    if canary is None or version not in (None, canary.version):
        return None
    client.change(_without)
    return canary.version


def _without(now: InferenceService) -> Spec | None:
    """No canary; InputError when there is one of another's, which a change would take with it."""
    check_ours(now)
    return None


def finish(client: ServiceClient, golden: Golden) -> float:
    """Wait until the predictor answers with the champion, then remove the canary; returns the seconds.

    UnavailableError when it does not within its time: a canary that is there goes on answering, with the same version.
    """
    since = good = time.monotonic()
    answers = 0
    while True:
        service = client.read()
        last, own = _answered(service, golden)
        answers = answers + 1 if own else 0
        if answers >= ANSWERS_PER_POD * service.replicas:
            break
        now = time.monotonic()
        good = now if own else good
        if now - good > limits.ROLLOUT_STILL_SECONDS or now - since > limits.ROLLOUT_MOST_SECONDS:
            cure = "see the log of its pods, and run it again"
            raise UnavailableError(service, f"the predictor to follow to version {golden.version}", last, cure)
        time.sleep(0 if own else limits.ROLLOUT_PAUSE_SECONDS)
    clear(client)
    return time.monotonic() - since


def _answered(service: InferenceService, golden: Golden) -> tuple[str, bool]:
    """What the predictor says, and whether it is the version."""
    if not service.address:
        return service.why_not, False
    answer = ask(service.address, golden.model, golden.questions[0].instances)
    return answer.fault or f"version {answer.version}", answer.version == golden.version
