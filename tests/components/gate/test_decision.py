"""The decision as a table: states, modes and brakes, reasons that a person understands, what would have changed it."""

import json
from dataclasses import replace
from itertools import product

import pytest
from jsonschema import Draft202012Validator

from tests.decisions import POLICY
from tests.documents import batch_of
from tidegate.components.gate import age, column_drift
from tidegate.components.gate.decay import Growth
from tidegate.components.gate.decision import decide, decision_of, numbers, would_change
from tidegate.components.gate.permutation_test import Column
from tidegate.components.gate.policy import switched_off
from tidegate.components.gate.words import word
from tidegate.documents.decision import Answer, ChampionModel, Decision
from tidegate.documents.signal import Kind, NoDetail, RecipeDetail, Signal, State
from tidegate.process.errors import InputError
from tidegate.scoring.tasks import TASKS

validator = Draft202012Validator(Decision.schema())
batch = batch_of(start="2024-04-01T00:00:00", end="2024-05-01T00:00:00", rows=3, labelled_rows=2)


def one(kind: Kind, state: State, value: float = 0.1, limit: float = 0.2) -> Signal:
    return Signal(kind, kind, state, f"{kind} is {value:g}", value, limit, None, NoDetail())


changed = "features.sql changed since the champion was trained"
recipe = Signal("recipe", "recipe", "named", changed, 1.0, None, None, RecipeDetail(("features.sql",)))
calm = [one("decay", "shut"), one("predictions", "shut", 0.05, 0.4)]
storm = [*calm, one("features", "opens", 0.3)]
blind = [one("decay", "cannot tell"), one("predictions", "shut")]
opened = "features is 0.3 (gate.minimum_effect 0.2)"
nothing = "nothing is beyond its limit"
nearest = f"{nothing}; nearest: decay is 0.1 (gate.decay 0.2)"
held = "budget is 3 (gate.max_refused 3)"


@pytest.mark.parametrize(
    ("mode", "signals", "decision", "reasons"),
    [
        ("auto", calm, "keep", [nearest]),
        ("auto", [], "keep", [nothing]),
        ("auto", [one("cooldown", "shut", 40, 7), one("label", "cannot tell")], "keep", [nothing]),
        ("auto", [*calm, recipe], "keep", [nearest, recipe.reason]),
        ("auto", storm, "retrain", [opened]),
        ("auto", [*storm, one("age", "opens", 400, 365)], "retrain", [opened, "age is 400 (gate.max_age_days 365)"]),
        ("auto", [*storm, one("budget", "holds", 3, 3)], "keep", [held, f"held back: {opened}"]),
        ("auto", [*calm, one("budget", "holds", 3, 3)], "keep", [held]),
        ("auto", blind, "cannot tell", ["decay is 0.1"]),
        ("auto", [*blind, one("features", "opens", 0.3)], "retrain", [opened]),
        ("auto", [one("features", "off")], "keep", [nothing]),
        ("auto", [one("features", "ignored", 0.3)], "keep", [nothing, "features is 0.3"]),
        ("always", calm, "retrain", ["gate.mode is always"]),
        ("always", storm, "retrain", ["gate.mode is always", opened]),
        ("always", [*storm, one("budget", "holds", 3, 3)], "retrain", ["gate.mode is always", opened]),
        ("never", blind, "keep", ["gate.mode is never", "decay is 0.1"]),
        ("never", storm, "keep", ["gate.mode is never", opened]),
    ],
)
def test_decide(mode: str, signals: list[Signal], decision: Answer, reasons: list[str]) -> None:
    assert decide(mode, signals) == (decision, reasons)


@pytest.mark.parametrize(
    ("mode", "off", "found"),
    [
        ("Auto", "", r"gate\.mode: expected one of auto, always, never, found 'Auto'; correct"),
        ("auto", "decay lable", r"gate\.off: expected names of predictions, label, .*, found 'lable'; correct"),
        ("auto", "champion", r"gate\.off: .*found 'champion'"),
    ],
)
def test_an_unknown_mode_or_signal_is_refused(mode: str, off: str, found: str) -> None:
    with pytest.raises(InputError, match=found):
        switched_off(replace(POLICY, mode=mode, off=off))


def test_a_policy_that_is_one() -> None:
    assert switched_off(replace(POLICY, mode="never", off=" label  age ")) == {"label", "age"}


def column(score: float | None, chance: float | None, nulls: float = 0.0, new: tuple[str, ...] = ()) -> Column:
    return Column(score, chance, "wasserstein", nulls, new)


def test_a_feature_opens_beyond_chance_and_beyond_its_effect() -> None:
    found = column_drift.features(
        {
            "a": column(1.0, 0.5),
            "b": column(2.0, 2.5),
            "c": column(0.4, 0.1),
            "d": column(9.0, 0.1),
            "e": column(2.5, None),
            "f": column(None, None),
        },
        {"a": 0.4, "b": 0.3, "c": 0.1, "d": -0.5, "e": 0.2},
        0.25,
        {},
    )
    assert [(it.column, it.state, it.value) for it in found] == [
        ("b", "shut", pytest.approx(0.6)),
        ("e", "cannot tell", pytest.approx(0.5)),
        ("a", "opens", pytest.approx(0.4)),
        ("c", "shut", pytest.approx(0.04)),
        ("d", "shut", 0.0),
        ("f", "cannot tell", None),
    ]
    assert found[2].reason.startswith("a drifted by 1.000, beyond what chance does (0.500) and carries 40% of the")


def test_a_huge_drift_of_a_column_that_hardly_counts_stays_shut() -> None:
    found = column_drift.features({"a": column(1e6, 0.5), "b": column(0.1, 0.5)}, {"a": 0.03, "b": 0.97}, 0.1, {})
    assert ", counted as 3, and carries 3%" in found[1].reason and "counted" not in found[0].reason
    assert [(it.column, it.state) for it in found] == [("b", "shut"), ("a", "shut")]


def test_what_a_person_ignores_is_said_and_does_not_open() -> None:
    (found,) = column_drift.features({"a": column(1.0, 0.5)}, {"a": 1.0}, 0.2, {"a": "ann said to ignore it: spring"})
    assert found.state == "ignored" and found.reason.endswith(", but ann said to ignore it: spring")
    (found,) = column_drift.features({"a": column(0.1, 0.5)}, {"a": 1.0}, 0.2, {"a": "ann said to ignore it: spring"})
    assert found.state == "shut"


def test_nulls_and_new_categories_are_told() -> None:
    found = column_drift.predictions(column(0.5, 0.1, 0.25, ("x", "y", "z", "w")), 0.3)
    words = "drifted by 0.500, beyond what chance does (0.100), 25% more rows without a value, new: x, y, z and 1 more"
    assert found.state == "opens" and words in found.reason
    assert "without a value" not in column_drift.label(column(0.5, 0.1, -0.1), 0.3, "late").reason


@pytest.mark.parametrize(
    ("growth", "state"),
    [
        (Growth(0.1, 0.02, 0.2), "opens"),
        (Growth(0.1, -0.02, 0.2), "shut"),
        (Growth(0.04, 0.02, 0.06), "shut"),
        (Growth(-0.1, -0.2, -0.02), "shut"),
        (Growth(0.1, None, None), "cannot tell"),
        (Growth(None, None, None), "cannot tell"),
    ],
)
def test_decay_has_to_be_large_and_beyond_its_interval(growth: Growth, state: str) -> None:
    found = age.decay(growth, 0.6, 0.5, 0.05, TASKS["binary"])
    assert found.state == state
    assert found.reason.startswith("the champion's log loss is 0.600 on this batch, 0.500 on the rows it was promoted")


def tried(*trials: tuple[str, str, str]) -> list[dict[str, str]]:
    return [dict(zip(("until", "verdict", "champion"), trial, strict=True)) for trial in trials]


@pytest.mark.parametrize(
    ("found", "state", "value"),
    [
        (age.age("2024-04-01T12:00:00", "2024-05-01T00:00:00", 29), "opens", 29.5),
        (age.age("2024-04-01T12:00:00", "2024-05-01T00:00:00", 30), "shut", 29.5),
        (age.cooldown([], "2024-05-01T00:00:00", 7), "shut", None),
        (age.cooldown(tried(("2024-04-25", "accepted", "2")), "2024-05-01T00:00:00", 7), "holds", 6.0),
        (age.cooldown(tried(("2024-04-24", "", "2")), "2024-05-01T00:00:00", 7), "shut", 7.0),
        (age.budget([], "2", "2024-05-01T00:00:00", 1, 30), "shut", 0),
        (age.budget(tried(("2024-04-24", "refused", "2")), "2", "2024-05-01T00:00:00", 1, 30), "holds", 1),
        (age.budget(tried(("2024-04-24", "refused", "1")), "2", "2024-05-01T00:00:00", 1, 30), "shut", 0),
        (age.budget(tried(("2024-03-24", "refused", "2")), "2", "2024-05-01T00:00:00", 1, 30), "shut", 0),
        (age.budget(tried(("2024-04-24", "accepted", "2")), "2", "2024-05-01T00:00:00", 1, 30), "shut", 0),
    ],
)
def test_time_and_trials_are_measured_at_the_end_of_the_batch(found: Signal, state: str, value: float | None) -> None:
    assert (found.state, found.value) == (state, value)


def test_another_recipe_is_named_and_does_not_open() -> None:
    found = age.recipe(replace(batch.recipe, sql="other", window_days=90), batch.recipe)
    assert (found.state, found.detail) == ("named", RecipeDetail(("features.sql", "window_days")))
    assert decide("auto", [found])[0] == "keep"


@pytest.mark.parametrize(
    ("signals", "words"),
    [
        (storm, "the gate would have stayed shut with gate.minimum_effect at 0.3 or more (it is 0.2)"),
        (  # one number keeps all features shut, however many opened
            [*storm, *(one("features", "opens", value) for value in (0.9, 0.4, 0.5))],
            "the gate would have stayed shut with gate.minimum_effect at 0.9 or more (it is 0.2)",
        ),
        ([*storm, one("budget", "holds", 3, 3)], "higher gate.max_refused: budget is 3"),
        ([one("cooldown", "holds", 3, 7)], "lower gate.cooldown_days: cooldown is 3"),
        (blind, "more rows, labels or blocks of time: gate.minimum_rows is 200"),
        (calm, "decay: gate.decay below 0.1 (it is 0.2) would have opened the gate"),
        (
            [column_drift.predictions(column(0.5, 0.6), 0.25)],
            "drift of predictions: a score above 0.600, which chance reaches (it is 0.500) would have opened the gate",
        ),
        (
            [age.decay(Growth(0.1, -0.02, 0.2), 0.6, 0.5, 0.05, TASKS["binary"])],
            "decay: a lower bound above 0 (it is -0.02) would have opened the gate",
        ),
    ],
)
def test_what_would_have_changed_it(signals: list[Signal], words: str) -> None:
    decision, _ = decide("auto", signals)
    assert would_change(decision, signals, POLICY)[0] == words


grown = age.decay(Growth(0.066, -0.0002, 0.13), 0.571, 0.505, 0.02, TASKS["binary"])
moved = column_drift.features({"a": column(0.5, 0.6)}, {"a": 1.0}, 0.2, {})[0]
weak = column_drift.features({"a": column(0.5, 0.1)}, {"a": 1.0}, 0.6, {})[0]


def test_what_is_large_but_uncertain_is_nearest_and_never_called_within_its_limit() -> None:
    calmer = [column_drift.predictions(column(part, 0.5), 0.5) for part in (0.4, 0.3, 0.2)]
    _, (reason,) = decide("auto", [*calmer, grown])
    assert reason.startswith("nothing is certainly beyond its limit; nearest: the champion's log loss is 0.571")
    assert "+0.0660 [-0.0002, +0.1300] (gate.decay 0.02)" in reason
    first = would_change("keep", [*calmer, grown], POLICY)[0]
    assert first == "decay: a lower bound above 0 (it is -0.0002) would have opened the gate"


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        (grown, "beyond its limit, but within chance"),
        (moved, "beyond its limit, but within chance"),
        (weak, "within its limit, but beyond chance"),
        (column_drift.predictions(column(0.1, 0.6), 0.25), "within its limit, and within chance"),
        (age.age("2024-04-01", "2024-05-01", 60), "within its limit"),
        (age.decay(Growth(-0.1, -0.2, -0.02), 0.6, 0.5, 0.05, TASKS["binary"]), "within its limit, and within chance"),
        (age.decay(Growth(0.1, 0.02, 0.2), 0.6, 0.5, 0.05, TASKS["binary"]), "opens the gate"),
        (age.cooldown(tried(("2024-03-01", "", "2")), "2024-05-01T00:00:00", 7), "over"),
    ],
)
def test_a_shut_signal_says_which_of_its_limits_holds(signal: Signal, said: str) -> None:
    assert word(signal) == said


def test_a_signal_that_fell_would_not_have_opened_the_gate() -> None:
    fell = age.decay(Growth(-0.1, -0.2, -0.02), 0.4, 0.5, 0.05, TASKS["binary"])
    assert would_change("keep", [fell], POLICY) == []


def test_what_would_have_changed_it_is_true() -> None:
    """Lowering the limit that it names to just below what it names opens the gate."""
    signals = [column_drift.predictions(column(0.2, 0.1), 0.25)]
    assert decide("auto", signals)[0] == "keep"
    assert would_change("keep", signals, POLICY) == [
        "drift of predictions: gate.prediction_drift below 0.2 (it is 0.25) would have opened the gate"
    ]
    assert decide("auto", [column_drift.predictions(column(0.2, 0.1), 0.199)])[0] == "retrain"


@pytest.mark.parametrize(
    ("mode", "signals"), product(("auto", "always", "never"), ([], calm, storm, blind, [*storm, recipe]))
)
def test_the_document_keeps_its_schema(mode: str, signals: list[Signal]) -> None:
    answer, reasons = decide(mode, signals)
    champion = ChampionModel("7", "sha256:0")
    found = decision_of(batch, champion, answer, reasons, signals, replace(POLICY, mode=mode))
    written = json.dumps(found.document())
    validator.validate(json.loads(written))
    assert Decision.parse(written, "decision.json") == found
    assert (found.retrain, found.champion) == (answer == "retrain", "7")
    assert numbers(found) == {
        "retrain": int(found.retrain),
        "rows": 3,
        "labelled_rows": 2,
        **{it.name: it.value for it in signals},
    }
