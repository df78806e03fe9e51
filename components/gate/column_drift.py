"""The signals of the drift of columns: significant, and large enough to matter for the champion."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tidegate.components.gate.permutation_test import Column
from tidegate.documents.signal import DriftDetail, Kind, NoDetail, Signal, State

# Distances of numbers know no end: a unit that changed moves a column by a thousand of its standard deviations, which
# says no more than three do, and must not make up for the little that the champion thinks of it.
MOST_DRIFT = 3.0
MOST_NEW_CATEGORIES = 5
NAMES: Mapping[Kind, str] = {
    "features": "drift of features",
    "predictions": "drift of predictions",
    "label": "drift of the label",
    "together": "drift of columns together",
    "slices": "drift of slices",
    "slice_decay": "decay of slices",
}


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
    signals = [_feature(name, column, share[name], minimum, ignored.get(name)) for name, column in columns.items()]
    return sorted(signals, key=lambda signal: (-(signal.value or 0.0), signal.name))


def _feature(name: str, column: Column, share: float, minimum: float, ignored: str | None) -> Signal:
    effect = None if column.score is None else min(column.score, MOST_DRIFT) * share
    counted = f", counted as {MOST_DRIFT:.0f}," if column.score is not None and column.score > MOST_DRIFT else ""
    carries = f"carries {share:.0%} of the champion's importance: effect {effect or 0.0:.3f}"
    reason = f"{name} {_moved(column)}{counted} and {carries}"
    state = _state(column, effect, minimum)
    if ignored and state == "opens":
        state, reason = "ignored", f"{reason}, but {ignored}"
    return _signal("features", name, column, share, state, reason, effect, minimum)


def predictions(column: Column, minimum: float) -> Signal:
    """The drift of what the champion predicts: every feature in one, as it weighs them."""
    reason = f"the champion's predictions {_moved(column)}"
    state = _state(column, column.score, minimum)
    return _signal("predictions", "prediction", column, 1.0, state, reason, column.score, minimum)


def label(column: Column, minimum: float, name: str) -> Signal:
    """The drift of the label among the rows that have one; that young rows have none yet says nothing."""
    column = replace(column, null_shift=0.0)
    reason, state = f"the label {name} {_moved(column)}", _state(column, column.score, minimum)
    return _signal("label", name, column, None, state, reason, column.score, minimum)


def too_few(kind: Kind, reason: str) -> Signal:
    """A signal that cannot be measured, and why."""
    return Signal(NAMES.get(kind, kind), kind, "cannot tell", reason, None, None, None, NoDetail())


def _signal(
    kind: Kind,
    name: str,
    column: Column,
    share: float | None,
    state: State,
    reason: str,
    value: float | None,
    limit: float,
) -> Signal:
    detail = DriftDetail(
        column.score, column.critical, share, column.method, column.null_shift, column.new[:MOST_NEW_CATEGORIES]
    )
    title = f"drift of {name}" if kind == "features" else NAMES[kind]
    return Signal(title, kind, state, reason, value, limit, name, detail)


def _state(column: Column, effect: float | None, minimum: float) -> State:
    if effect is None or column.critical is None:
        return "cannot tell"
    return "opens" if column.significant and effect > minimum else "shut"


def _moved(column: Column) -> str:
    """How far a column moved, in words."""
    if column.score is None:
        return "cannot be compared, for want of rows,"
    if column.critical is None:
        moved = f"moved by {column.score:.3f}, of which too few blocks of time say what chance alone does"
    elif column.significant:
        moved = f"drifted by {column.score:.3f}, beyond what chance does ({column.critical:.3f})"
    else:
        moved = f"moved by {column.score:.3f}, within what chance does ({column.critical:.3f})"
    return moved + _nulls(column.null_shift) + _new(column.new)


def _nulls(shift: float) -> str:
    return f", {abs(shift):.0%} {'more' if shift > 0 else 'fewer'} rows without a value" if abs(shift) >= 0.01 else ""


def _new(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f", new: {', '.join(names[:3])}{more}" if names else ""
