"""The trial of a version: as a canary of the InferenceService it is awaited, asked its golden rows, and watched."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from tidegate.process import limits
from tidegate.process.errors import InputError
from tidegate.rollout.doors import Answer, ask
from tidegate.rollout.golden import Golden, Question
from tidegate.rollout.inference_service import (
    Canary,
    InferenceService,
    Spec,
    address_of_canary,
    canary_of,
    check,
)
from tidegate.rollout.service_client import ServiceClient
from tidegate.rollout.target import Target
from tidegate.rollout.watch import Tally, UnfitError, slow, unfit

ALL = 100
TRIES = 3  # of a golden question: a new pod may lose a connection
LOOK_EVERY = 10  # of the questions, whether the canary is still ready
CERTAIN = 15  # answers of the canary that are expected: without one, the chance is less than one in a million


@dataclass(frozen=True)
class Trial:
    """A version to try on an InferenceService: its golden rows, its batch; `tell` takes a line for a person."""

    client: ServiceClient
    target: Target
    golden: Golden
    batch: str
    tell: Callable[[str], None]

    @property
    def version(self) -> str:
        """The version."""
        return self.golden.version

    def canary(self, percent: int) -> Callable[[InferenceService], Spec]:
        """The canary with this share of the traffic, for the InferenceService as it is."""

        def made(now: InferenceService) -> Spec:
            check(now)
            return canary_of(now, self.version, self.batch, percent)

        return made


@dataclass(frozen=True)
class Addresses:
    """Where the canary, the predictor, and both by their shares are asked; `split` is empty where it cannot be."""

    canary: str
    stable: str
    split: str


def run(trial: Trial, stable: Golden, service: InferenceService) -> None:
    """Give the version a share of the traffic, then all; UnfitError when it does not pass.

    `stable` are the golden rows of the version that serves, to which its answers are compared in time.
    """
    addresses = _addresses(trial, stable, service)
    try:
        _run(trial, stable, addresses)
    except UnfitError:
        _own(trial, trial.client.read())  # without a canary nothing is said of the version
        raise


def _run(trial: Trial, stable: Golden, addresses: Addresses) -> None:
    _give(trial, trial.target.canary_percent)
    _await_address(trial, addresses.canary)
    _ask_all(trial, addresses.canary)
    _watch(trial, stable, addresses)
    _give(trial, ALL)
    _ask_all(trial, addresses.canary)


def _addresses(trial: Trial, stable: Golden, service: InferenceService) -> Addresses:
    """The addresses; InputError when the predictor does not answer before anything is changed."""
    first = stable.questions[0]
    answer = ask(service.address, stable.model, first.instances)
    if answer.fault:
        cure = "run it in the cluster, and let its pod through to the predictor's"
        raise InputError(service.address or service, "the predictor to answer", answer.fault, cure)
    split = ask(service.url, stable.model, first.instances) if service.url else None
    if split and split.fault:
        trial.tell(f"{service.url} does not answer here ({split.fault}): the canary is asked at its own address alone")
    usable = service.url if split and not split.fault else ""
    return Addresses(address_of_canary(service, trial.version), service.address, usable)


def _give(trial: Trial, percent: int) -> None:
    """Give the canary a share of the traffic, and wait until it is ready and has it."""
    trial.client.change(trial.canary(percent))
    since = still = time.monotonic()
    state: object = None
    while True:
        service = trial.client.read()
        canary = _own(trial, service)
        if canary.ready and canary.observed == percent:
            trial.tell(f"version {trial.version} is a canary of {service} with {percent} % of the traffic")
            return
        now = time.monotonic()
        if service.state != state:
            state, still = service.state, now
        if now - still > limits.ROLLOUT_STILL_SECONDS or now - since > limits.ROLLOUT_MOST_SECONDS:
            reason = "its pod is not available" if canary.observed is not None else "KServe has not seen it"
            raise UnfitError(f"{service}: expected the canary to be ready within {now - since:.0f} s, found {reason}")
        time.sleep(limits.ROLLOUT_POLL_SECONDS)


def _own(trial: Trial, service: InferenceService) -> Canary:
    canary = service.canary
    if canary is None or canary.version != trial.version:
        found = f"one of version {canary.version}" if canary else "none"
        cure = "another run or a person has changed it: run the step again"
        raise InputError(service, f"the canary of version {trial.version}", found, cure)
    return canary


def _await_address(trial: Trial, address: str) -> None:
    """Wait until a new address answers at all: a pod is ready before the way to it is."""
    until = time.monotonic() + limits.ROLLOUT_DOOR_SECONDS
    question = trial.golden.questions[0]
    while (answer := ask(address, trial.golden.model, question.instances)).status is None:
        if time.monotonic() > until:
            raise UnfitError(f"{address}: expected the canary to answer, found {answer.fault}")
        time.sleep(limits.ROLLOUT_PAUSE_SECONDS)


def _ask_all(trial: Trial, address: str) -> None:
    """Ask all golden rows; UnfitError unless each is predicted as in training."""
    for question in trial.golden.questions:
        answer = _answer(trial, address, question)
        if answer.fault:
            raise UnfitError(f"{address}: expected predictions of its golden rows, found {answer.fault}")
        if answer.version != trial.version:
            raise UnfitError(f"{address}: expected version {trial.version}, found version {answer.version}")
        if wrong := question.wrong(answer):
            raise UnfitError(f"{address}: expected the predictions of training, found others of {wrong:,} golden rows")


def _answer(trial: Trial, address: str, question: Question) -> Answer:
    for attempt in count(1):
        answer = ask(address, trial.golden.model, question.instances)
        if not answer.fault or attempt == TRIES:
            return answer
        time.sleep(limits.ROLLOUT_PAUSE_SECONDS)
    raise AssertionError


def _watch(trial: Trial, stable: Golden, addresses: Addresses) -> None:
    """Ask for `watch_seconds`; UnfitError for wrong predictions, failures, or a canary that is slow or gone."""
    canary, before, both = Tally(), Tally(), Tally()
    until = time.monotonic() + trial.target.watch_seconds
    through = 0
    asked = zip(count(1), trial.golden.endless(), stable.endless(), strict=False)
    for number, own, other in asked:
        _ask_and_count(canary, trial, addresses.canary, own)
        before.add(ask(addresses.stable, stable.model, other.instances))
        if addresses.split:
            through += _ask_split(both, trial, addresses.split, own)
        for tally, address in ((canary, addresses.canary), (both, addresses.split)):
            if reason := unfit(tally):
                raise UnfitError(f"{address}: {reason}")
        if number % LOOK_EVERY == 0 and not _own(trial, service := trial.client.read()).ready:
            raise UnfitError(f"{service}: expected the canary to stay ready, found its pod not available")
        if time.monotonic() >= until:
            break
        time.sleep(limits.ROLLOUT_PAUSE_SECONDS)
    if reason := slow(canary, before):
        raise UnfitError(f"{addresses.canary}: {reason}")
    _tell_of_share(trial, addresses.split, both, through)


def _ask_and_count(tally: Tally, trial: Trial, address: str, question: Question) -> None:
    answer = ask(address, trial.golden.model, question.instances)
    tally.add(answer, 0 if answer.fault else question.wrong(answer))


def _ask_split(tally: Tally, trial: Trial, address: str, question: Question) -> bool:
    """Ask where either version may answer; whether the canary has.

    The other version predicts otherwise, and refuses (4xx) the rows if its features are others: that is no fault.
    """
    answer = ask(address, trial.golden.model, question.instances)
    own = answer.version == trial.version
    if answer.status is None or answer.status >= 500 or not answer.fault:
        tally.add(answer, question.wrong(answer) if own else 0)
    return own


def _tell_of_share(trial: Trial, address: str, both: Tally, through: int) -> None:
    if address and not through and both.asked * trial.target.canary_percent > CERTAIN * ALL:
        trial.tell(f"none of {both.asked:,} requests to {address} reached the canary: KServe splits from 0.21 on")
