"""What a verdict notes beside its checks: it decides nothing, and a person should know it; pure."""

from collections.abc import Mapping

from tidegate.components.evaluate.checks import amount
from tidegate.components.evaluate.paired_difference import Difference
from tidegate.scoring.tasks import Task

KEPT = 0.9  # of the gain over a constant prediction: what a model has to keep to do as well
LINEAR = ("sklearn.linear_model.", "sklearn.svm.Linear")
TOO_GOOD = {"squared_error": 0.995}  # of a constant prediction's loss; numbers follow their neighbours more closely
TOO_GOOD_FOR_CLASSES = 0.9
LEAST_SHARE, MOST_NAMES = 0.1, 3


def linear_note(against_linear: Difference, against_dummy: Difference, estimator: str, task: Task) -> list[str]:
    """Whether a linear model would do as well as the challenger; nothing where the challenger is one, or better.

    A test of non-inferiority: even the lower bound of the challenger's difference from the linear model is no larger
    than a share of its gain over the constant prediction, which needs no unit. Few rows cannot show that; where they
    do not show the challenger to be better either, this is said as well.
    """
    if estimator.startswith(LINEAR):
        return []
    words = amount(against_linear.mean, against_linear.interval, task)
    allowed = (1 - KEPT) * max(0.0, -against_dummy.mean)
    if against_linear.lower >= -allowed:
        return [
            f"a linear model would do: it keeps at least {KEPT:.0%} of what the challenger gains over a constant "
            f"prediction; challenger minus linear: {words}"
        ]
    if against_linear.upper >= 0:
        return [f"a linear model may do: these rows cannot tell the challenger from it: {words}"]
    return []


def gain_note(challenger: float, dummy: float, importances: Mapping[str, float], task: Task) -> list[str]:
    """The features of largest gain, where a challenger leaves too little of the loss of a constant prediction."""
    explained = 1 - challenger / dummy if dummy > 0 else 0.0
    if explained < TOO_GOOD.get(task.loss, TOO_GOOD_FOR_CLASSES):
        return []
    whole = sum(max(0.0, gain) for gain in importances.values()) or 1.0
    shares = [(name, gain / whole) for name, gain in importances.items() if gain / whole >= LEAST_SHARE]
    names = ", ".join(f"{name} ({share:.0%})" for name, share in shares[:MOST_NAMES])
    by = f", by the gain of {names}" if names else ""
    return [
        f"check this: the challenger explains {explained:.1%} of the loss of a constant prediction{by}: known before "
        "the event?"
    ]
