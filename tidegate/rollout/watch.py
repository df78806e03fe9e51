"""What the answers of a canary say of it, beside those of the predictor that serves; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from tidegate.rollout.doors import Answer

# One request may fail for reasons of the network. More are a canary's own, if they are more than one in a hundred.
FAILED_AT_LEAST, FAILED_SHARE = 2, 0.01
# With few requests the slowest one decides, and a busy node slows one of two pods.
SLOWER, FAST_ENOUGH_SECONDS = 3.0, 0.25
TAIL = 0.99


class UnfitError(Exception):
    """Why a version did not pass its trial, in one line."""


@dataclass
class Tally:
    """The answers of one address: the seconds of the good ones, the faults of the others, wrong predictions."""

    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    wrong: int = 0

    def add(self, answer: Answer, wrong: int = 0) -> None:
        """Count an answer with so many wrong predictions."""
        self.wrong += wrong
        if answer.fault:
            self.faults.append(answer.fault)
        else:
            self.seconds.append(answer.seconds)

    @property
    def asked(self) -> int:
        """How many answers were counted."""
        return len(self.seconds) + len(self.faults)


def tail(seconds: Sequence[float]) -> float:
    """The 99th percentile: the smallest value that is not exceeded by 99 % of them."""
    return sorted(seconds)[ceil(TAIL * len(seconds)) - 1]


def unfit(canary: Tally) -> str | None:
    """Why a canary cannot become champion, however long it is watched on."""
    if canary.wrong:
        return f"expected the predictions that it gave in training, found others of {canary.wrong:,} rows"
    failed = len(canary.faults)
    if failed >= FAILED_AT_LEAST and failed > FAILED_SHARE * canary.asked:
        return f"expected answers, found {failed:,} of {canary.asked:,} requests failed, last: {canary.faults[-1]}"
    return None


def slow(canary: Tally, stable: Tally) -> str | None:
    """Whether a canary is much slower than the predictor that serves, in words."""
    if not canary.seconds or not stable.seconds:
        return None
    here, there = tail(canary.seconds), tail(stable.seconds)
    if here <= max(SLOWER * there, FAST_ENOUGH_SECONDS):
        return None
    return f"expected a p99 of at most {SLOWER:g} times {1000 * there:.0f} ms, found {1000 * here:.0f} ms"
