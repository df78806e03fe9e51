"""The policy of the gate: the modes that there are, and the signals that can be switched off."""

from tidegate.documents.decision import Policy
from tidegate.process.errors import InputError

MODES = ("auto", "always", "never")
# Each can be switched off by `gate.off`.
SWITCHABLE = (
    "predictions",
    "label",
    "decay",
    "age",
    "cooldown",
    "budget",
    "features",
    "together",
    "slices",
    "slice_decay",
    "requests",
    "estimate",
)


def switched_off(policy: Policy) -> frozenset[str]:
    """The signals that are switched off; InputError for an unknown mode or signal."""
    if policy.mode not in MODES:
        raise InputError("gate.mode", f"one of {', '.join(MODES)}", repr(policy.mode), "correct params.yaml")
    for name in policy.off.split():
        if name not in SWITCHABLE:
            raise InputError("gate.off", f"names of {', '.join(SWITCHABLE)}", repr(name), "correct params.yaml")
    return frozenset(policy.off.split())
