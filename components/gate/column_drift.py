"""What the drift of columns says: beyond chance, and large enough to matter for the champion."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tidegate.components.gate.permutation_test import Column
from tidegate.components.gate.signal import Signal

# Distances of numbers know no end: a unit that changed moves a column by a thousand of its standard deviations, which
# says no more than three do, and must not make up for the little that the champion thinks of it.
whole = 3.0
named = {"features": "drift of features", "predictions": "drift of predictions", "label": "drift of the label"}


def shares(importances: Mapping[str, float], names: Iterable[str]) -> dict[str, float]:
    """Each feature's share of the champion's permutation importance; nothing where none helps."""
    positive = {name: max(0.0, importances.get(name, 0.0)) for name in names}
    whole = sum(positive.values()) or 1.0
    return {name: value / whole for name, value in positive.items()}


def features(
    columns: Mapping[str, Column], importances: Mapping[str, float], minimum: float, ignored: Mapping[str, str]
) -> list[Signal]:
    """The drift of each feature (up to 3), weighted by its share of the champion's importance; the largest first.

    `ignored` are the columns whose drift a person said to ignore, with that in words.
    """
    share = shares(importances, columns)
    found = [_feature(name, column, share[name], minimum, ignored.get(name)) for name, column in columns.items()]
    return sorted(found, key=lambda signal: (-(signal.value or 0.0), signal.name))


def _feature(name: str, column: Column, share: float, minimum: float, ignored: str | None) -> Signal:
    effect = None if column.score is None else min(column.score, whole) * share
    counted = f", counted as {whole:.0f}," if column.score is not None and column.score > whole else ""
    carries = f"carries {share:.0%} of the champion's importance: effect {effect or 0.0:.3f}"
    words = f"{name} {_moved(column)}{counted} and {carries}"
    state = _state(column, effect, minimum)
    if ignored and state == "opens":
        state, words = "ignored", f"{words}, but {ignored}"
    return _signal("features", name, column, share, state, words, effect, minimum)


def predictions(column: Column, minimum: float) -> Signal:
    """The drift of what the champion predicts: every feature in one, as it weighs them."""
    words = f"the champion's predictions {_moved(column)}"
    state = _state(column, column.score, minimum)
    return _signal("predictions", "prediction", column, 1.0, state, words, column.score, minimum)


def label(column: Column, minimum: float, name: str) -> Signal:
    """The drift of the label among the rows that have one; that young rows have none yet says nothing."""
    column = replace(column, null_shift=0.0)
    words, state = f"the label {name} {_moved(column)}", _state(column, column.score, minimum)
    return _signal("label", name, column, None, state, words, column.score, minimum)


def too_few(signal: str, reason: str) -> Signal:
    """A signal that cannot be told, and why."""
    return Signal(named.get(signal, signal), signal, "cannot tell", reason)


def _signal(
    signal: str,
    name: str,
    column: Column,
    share: float | None,
    state: str,
    words: str,
    value: float | None,
    limit: float,
) -> Signal:
    detail = {
        "score": column.score,
        "chance": column.chance,
        "importance": share,
        "method": column.method,
        "null_shift": column.null_shift,
        "new": list(column.new[:5]),
    }
    own = f"drift of {name}" if signal == "features" else named[signal]
    return Signal(own, signal, state, words, value, limit, name, detail)


def _state(column: Column, effect: float | None, minimum: float) -> str:
    if effect is None or column.chance is None:
        return "cannot tell"
    return "opens" if column.beyond and effect > minimum else "shut"


def _moved(column: Column) -> str:
    """How far a column moved, in words."""
    if column.score is None:
        return "cannot be compared, for want of rows,"
    if column.chance is None:
        told = f"moved by {column.score:.3f}, of which too few blocks of time say what chance alone does"
    elif column.beyond:
        told = f"drifted by {column.score:.3f}, beyond what chance does ({column.chance:.3f})"
    else:
        told = f"moved by {column.score:.3f}, within what chance does ({column.chance:.3f})"
    return told + _nulls(column.null_shift) + _new(column.new)


def _nulls(shift: float) -> str:
    return f", {abs(shift):.0%} {'more' if shift > 0 else 'fewer'} rows without a value" if abs(shift) >= 0.01 else ""


def _new(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f", new: {', '.join(names[:3])}{more}" if names else ""
