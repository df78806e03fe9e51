"""The decision as a table: signals, thresholds, modes, and reasons that a person understands."""

from typing import Any

import pytest

from components.errors import InputError
from components.gate.decision import (
    Signal,
    check_mode,
    column_signals,
    decay_signal,
    decide,
    document,
    prediction_signal,
    settled,
)


def signal(name: str, value: float, threshold: float) -> Signal:
    return Signal(name, value, threshold, f"{name} is {value:g}", {})


calm = [signal("a", 0.1, 0.2), signal("b", 0.05, 0.4)]
storm = [*calm, signal("c", 0.3, 0.2)]
tied = [signal("a", 0.2, 0.2)]


@pytest.mark.parametrize(
    ("mode", "signals", "decision", "reasons"),
    [
        ("auto", calm, "keep", ["nothing is beyond its threshold; nearest: a is 0.1"]),
        ("auto", tied, "keep", ["nothing is beyond its threshold; nearest: a is 0.2"]),
        ("auto", [], "keep", ["nothing is beyond its threshold"]),
        ("auto", [signal("z", 0.0, 0.0)], "keep", ["nothing is beyond its threshold; nearest: z is 0"]),
        ("auto", storm, "retrain", ["c is 0.3 (threshold 0.2)"]),
        ("auto", [signal("a", 9, 1), *storm], "retrain", ["a is 9 (threshold 1)", "c is 0.3 (threshold 0.2)"]),
        ("always", calm, "retrain", ["gate.mode is always"]),
        ("always", storm, "retrain", ["gate.mode is always", "c is 0.3 (threshold 0.2)"]),
        ("never", calm, "keep", ["gate.mode is never"]),
        ("never", storm, "keep", ["gate.mode is never", "c is 0.3 (threshold 0.2)"]),
    ],
)
def test_decide(mode: str, signals: list[Signal], decision: str, reasons: list[str]) -> None:
    assert decide(mode, signals) == (decision, reasons)


@pytest.mark.parametrize(
    ("mode", "decision", "found"),
    [
        ("auto", "retrain", ("retrain", ["why"])),
        ("auto", "keep", ("keep", ["why"])),
        ("auto", "cannot tell", ("cannot tell", ["why"])),
        ("always", "keep", ("retrain", ["gate.mode is always", "why"])),
        ("always", "cannot tell", ("retrain", ["gate.mode is always", "why"])),
        ("never", "retrain", ("keep", ["gate.mode is never", "why"])),
        ("never", "cannot tell", ("keep", ["gate.mode is never", "why"])),
    ],
)
def test_what_needs_no_signals(mode: str, decision: str, found: tuple[str, list[str]]) -> None:
    assert settled(mode, decision, "why") == found


def test_modes() -> None:
    for mode in ("auto", "always", "never"):
        check_mode(mode)
    with pytest.raises(InputError, match=r"gate\.mode: expected one of auto, always, never, found 'Auto'; mend"):
        check_mode("Auto")


def test_the_drift_of_a_feature_counts_by_its_importance() -> None:
    found = column_signals(
        {"a": 1.0, "b": 0.5, "c": 2.0, "d": 0.0},
        {"a": 0.0, "b": 0.9, "c": 0.0, "d": 0.0},
        {"a": 0.03, "b": 0.01, "c": -0.5},
        0.4,
    )
    assert [(one.name, round(one.value, 6), one.opens) for one in found] == [
        ("drift of a", 0.75, True),
        ("drift of b", 0.225, False),
        ("drift of c", 0.0, False),
        ("drift of d", 0.0, False),
    ]
    assert found[0].reason == "a drifted by 1.00 and carries 75% of the champion's importance: effect 0.75"
    # Nulls count where there are more of them than the values drifted.
    assert found[1].detail == {"score": 0.9, "importance": 0.25, "null_shift": 0.9}


def test_a_champion_without_any_importance_has_no_effects() -> None:
    found = column_signals({"a": 5.0}, {"a": 1.0}, {"a": -1.0}, 0.1)
    assert [(one.value, one.opens) for one in found] == [(0.0, False)]


@pytest.mark.parametrize(
    ("found", "opens", "words"),
    [
        (prediction_signal(0.3, 0.25), True, "the champion's predictions drifted by 0.30"),
        (prediction_signal(0.25, 0.25), False, "the champion's predictions drifted by 0.25"),
        (
            decay_signal(0.6, 0.5, 0.05),
            True,
            "the champion's log loss is 0.600 on this batch, 0.500 on the rows it was promoted for",
        ),
        (
            decay_signal(0.4, 0.5, 0.05),
            False,
            "the champion's log loss is 0.400 on this batch, 0.500 on the rows it was promoted for",
        ),
    ],
)
def test_signals_say_what_they_mean(found: Signal, opens: bool, words: str) -> None:
    assert (found.opens, found.reason) == (opens, words)


@pytest.mark.parametrize(("decision", "retrain"), [("retrain", True), ("keep", False), ("cannot tell", False)])
def test_only_retrain_retrains(decision: str, retrain: bool) -> None:
    batch: dict[str, Any] = {"id": "b", "start": "s", "end": "e", "rows": 3, "labelled_rows": 2}
    found = document(batch, "7", (decision, ["why"]), storm, {"mode": "auto"})
    assert (found["retrain"], found["decision"], found["champion"]) == (retrain, decision, "7")
    assert [(one["name"], one["opens"]) for one in found["signals"]] == [("a", False), ("b", False), ("c", True)]
    assert found["policy"] == {"mode": "auto"}
