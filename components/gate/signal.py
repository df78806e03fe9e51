"""A signal: one thing that may open the gate or hold it shut, what was found, and what that says in words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tidegate.process.errors import InputError

modes = ("auto", "always", "never")
# Each can be switched off by `gate.off`.
switchable = ("predictions", "label", "decay", "age", "cooldown", "budget", "features")


@dataclass(frozen=True)
class Signal:
    """What was found (`value`) against its `limit`, and the state that follows.

    opens: it opens the gate; shut: it does not; holds: a brake keeps the gate shut; told: named, never opens;
    cannot tell: too few rows, labels or blocks; ignored: a person said so; off: switched off.
    """

    name: str
    signal: str
    state: str
    reason: str
    value: float | None = None
    limit: float | None = None
    column: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As it stands in decision.json."""
        return asdict(self)


def check_policy(mode: str, off: str) -> frozenset[str]:
    """The signals that are switched off; InputError for a mode or a signal that there is none of."""
    if mode not in modes:
        raise InputError("gate.mode", f"one of {', '.join(modes)}", repr(mode), "mend params.yaml")
    for name in off.split():
        if name not in switchable:
            raise InputError("gate.off", f"names of {', '.join(switchable)}", repr(name), "mend params.yaml")
    return frozenset(off.split())
