"""The estimate of the loss without labels: what is expected of a row, and how far its record lets it be trusted."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.toy import orders
from tidegate.components.gate.estimate import corrected, estimated
from tidegate.components.gate.expected_loss import expected_losses
from tidegate.documents.decision import Decision
from tidegate.documents.signal import EstimateDetail, EstimateRecord
from tidegate.scoring.scores import losses
from tidegate.scoring.tasks import TASKS
from tidegate.tracking.batch_runs import batches
from tidegate.tracking.champion import Champion, load_champion
from tidegate.tracking.decisions import past
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tests.toy import World

RECORD = [EstimateRecord(f"2024-0{month}-01", 0.5, 0.5 + error) for month, error in ((1, 0.1), (2, 0.2), (3, 0.3))]


def champion() -> Champion:
    version = load_champion(connect(), "toy", ())
    assert version is not None
    return version


def test_of_calibrated_probabilities_it_is_the_mean_log_loss(released: "World") -> None:
    random = np.random.default_rng(0)
    chance = random.uniform(0.01, 0.99, 200_000)
    label = (random.random(len(chance)) < chance).astype(float)
    expected = expected_losses(champion(), pd.DataFrame({"prediction": chance}))
    assert expected.mean() == pytest.approx(losses(label, chance, "binary").mean(), abs=0.003)
    certain = expected_losses(champion(), pd.DataFrame({"prediction": [0.0, 0.5, 1.0]}))
    assert certain == pytest.approx([0.0, np.log(2), 0.0], abs=1e-12)


class ThreeClasses:
    classes_ = np.array(["a", "b", "c"], dtype=object)

    def predict_proba(self, rows: Any) -> Any:
        return np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])


def test_of_several_classes_it_is_the_entropy_also_of_recorded_probabilities(released: "World") -> None:
    several = replace(champion(), model=ThreeClasses(), contract=replace(champion().contract, task="multiclass"))
    rows = several.reference.head(2)
    expected = [0.5 * np.log(2) + 0.5 * np.log(4), 0.0]
    assert expected_losses(several, rows) == pytest.approx(expected)
    pairs = [[("a", 0.5), ("b", 0.25), ("c", 0.25)], [("a", 1.0), ("b", 0.0), ("c", 0.0)]]
    recorded = pd.DataFrame({"prediction": ["a", "a"], "probabilities": pairs})
    assert expected_losses(several, recorded) == pytest.approx(expected)


def test_of_a_number_it_learns_where_the_champion_errs_and_is_as_large_as_the_verdict_says(released: "World") -> None:
    random = np.random.default_rng(0)
    base = champion()
    price = random.uniform(0, 100, 2000)
    label = price + random.normal(0, np.where(price > 50, 4.0, 1.0))
    own = base.contract
    reference = pd.DataFrame(
        {"price": price, "shop": "north", "rate": 1.0, own.time: pd.Timestamp("2024-01-01"), own.label: label}
    ).assign(prediction=price)
    assert base.verdict is not None
    number = replace(
        base,
        reference=reference,
        contract=replace(own, task="regression"),
        verdict=replace(base.verdict, loss=17.0),
    )
    expected = expected_losses(number, reference)
    assert expected.mean() == pytest.approx(17.0)
    ratio = expected[price > 55].mean() / expected[price < 45].mean()
    assert 8 < ratio < 32, "the variance is 16 times as large"
    few = replace(number, reference=reference.head(50))
    assert expected_losses(few, reference.head(3)).tolist() == [17.0] * 3


def test_the_record_corrects_it_and_says_how_far_it_can_be_wrong() -> None:
    middle, interval = corrected(0.4, RECORD)
    # Student's distribution of two degrees of freedom at 0.975 is 4.303; three errors of deviation 0.1 around 0.2.
    wide = 4.3027 * 0.1 * np.sqrt(4 / 3)
    assert middle == pytest.approx(0.6) and interval == pytest.approx((0.6 - wide, 0.6 + wide), abs=1e-3)
    assert corrected(0.4, RECORD[:2]) == (0.4, None)
    assert corrected(0.01, [replace(entry, loss=0.5) for entry in RECORD]) == (0.01, (0.01, 0.01))


@pytest.mark.parametrize(
    ("estimate", "limit", "record", "state"),
    [
        (2.0, 0.0, RECORD, "off"),
        (2.0, 0.1, RECORD, "opens"),
        (0.4, 0.1, RECORD, "shut"),
        (0.9, 1.0, RECORD, "shut"),
        (2.0, 0.1, RECORD[:2], "cannot tell"),
    ],
    ids=["without a limit", "certainly larger", "within its error", "below the limit", "no record"],
)
def test_it_opens_the_gate_only_where_its_record_allows_it(
    estimate: float, limit: float, record: list[EstimateRecord], state: str
) -> None:
    assert estimated(estimate, None, 0.5, record, limit, TASKS["binary"]).state == state


def test_each_batch_adds_to_the_record_and_a_decision_shows_it(released: "World") -> None:
    for until in ("2024-04-08", "2024-04-15", "2024-04-22", "2024-04-29"):
        released.run("ingest", "validate", "featurize", "gate", until=until, batch_days=7, minimum_rows=30)
    decision = Decision.read(released / "decision.json")
    (signal,) = (signal for signal in decision.signals if signal.signal == "estimate")
    assert isinstance(signal.detail, EstimateDetail) and signal.state == "off" and signal.detail.interval
    record = signal.detail.record
    assert [entry.until for entry in record] == ["2024-04-08", "2024-04-15", "2024-04-22"]
    assert all(0.05 < entry.estimate < 1 and 0.05 < entry.loss < 1.5 for entry in record)
    noted = past(batches(connect(), "toy"), "2024-05-10")
    assert [(entry.estimate, entry.loss) for entry in noted][1:4] == [(each.estimate, each.loss) for each in record]
    page = (released / "gate.html").read_text()
    assert "The loss before labels come" in page and "by its record of 3 batches with labels" in page
    assert not any("estimated" in reason for reason in decision.reasons), "it opens nothing, and says nothing"


WEEKS = {"batch_days": 14, "minimum_rows": 30}
OTHERS = "features predictions together label slices slice_decay"


def weeks_until(world: "World", **columns: Any) -> None:
    """A record of five batches; then a last one, still to be decided, with other values in some columns."""
    frame = orders()
    for name, values in columns.items():
        frame.loc[frame["at"] >= "2024-04-22", name] = values
    world.lay(orders=frame)
    for until in ("2024-04-03", "2024-04-08", "2024-04-13", "2024-04-17", "2024-04-22"):
        world.run("ingest", "validate", "featurize", "gate", until=until, off=OTHERS, **WEEKS)
    world.run("ingest", "validate", "featurize", until="2024-05-06", **WEEKS)


def test_a_batch_that_the_champion_is_unsure_of_opens_the_gate_where_that_is_asked_for(released: "World") -> None:
    weeks_until(released, price=60.0)
    released.run("gate", off=f"{OTHERS} decay", estimate=0.05, **WEEKS)
    decision = Decision.read(released / "decision.json")
    assert decision.retrain and decision.reasons[0].startswith("the champion's log loss is estimated at ")
    assert decision.reasons[0].endswith("(gate.estimate 0.05)")
    released.run("gate", off=f"{OTHERS} decay", **WEEKS)
    assert not Decision.read(released / "decision.json").retrain, "by default it opens nothing"


def test_an_estimate_within_its_limit_does_not_stand_for_the_decay_that_cannot_be_told(released: "World") -> None:
    weeks_until(released, kept_days=None)
    released.run("gate", off=OTHERS, estimate=1.0, **WEEKS)
    decision = Decision.read(released / "decision.json")
    states = {signal.signal: signal.state for signal in decision.signals}
    assert (states["estimate"], states["decay"], decision.decision) == ("shut", "cannot tell", "cannot tell")
