"""Slice by slice: one that goes wrong is seen while the whole looks fine, and many do not cry wolf more often."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.documents import VERDICT
from tidegate.components.gate.permutation_test import Column, compare
from tidegate.components.gate.slice_decay import Losses, decay_of_slices, slice_decays
from tidegate.components.gate.slice_drift import Slice, drift_of_slices, large_slices, slice_drift
from tidegate.components.gate.thinning import Thinned, thinned
from tidegate.documents.signal import SliceDecay, SliceDecayDetail, SliceDriftDetail
from tidegate.documents.verdict import SliceResult
from tidegate.scoring.tasks import TASKS

if TYPE_CHECKING:
    from tests.toy import World

Builders = dict[str, Callable[..., pd.DataFrame]]
airports = [f"A{place}" for place in range(6)]
names = [f"airport {airport}" for airport in airports]


def rows(blocks: int, each: int, seed: int, luck: float = 0.5) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of six airports, whose days share their luck in the prediction."""
    random = np.random.default_rng(seed)
    day, count = random.normal(0, luck, blocks).repeat(each), blocks * each
    frame = pd.DataFrame({"airport": random.choice(airports, count), "prediction": random.normal(0, 1, count) + day})
    return frame, pd.Series(np.arange(blocks).repeat(each))


def sides(batch: pd.DataFrame, blocks: pd.Series, seed: int = 0) -> Thinned:
    before, own = rows(60, 60, seed)
    return thinned(before, batch, own, blocks, 10_000, seed)


def drifts(compared: Thinned, rate: float = 0.05, seed: int = 0) -> dict[str, Slice]:
    return slice_drift(compared, ["airport"], dict.fromkeys(names, 300), "number", {}, rate, seed)


def test_one_slice_that_moves_is_seen_while_the_whole_looks_fine() -> None:
    batch, blocks = rows(25, 60, 1)
    batch.loc[batch["airport"] == "A3", "prediction"] += 1.5
    compared = sides(batch, blocks)
    frames = (compared.reference, compared.batch, compared.reference_blocks, compared.batch_blocks)
    whole = compare(*frames, {"prediction": "number"}, {}, 0.05, 0).columns["prediction"]
    limit = 0.6
    assert whole.score is not None and whole.score < limit
    signal = drift_of_slices(drifts(compared), limit)
    assert signal.state == "opens"
    assert isinstance(signal.detail, SliceDriftDetail)
    assert signal.detail.slices[0].slice == "airport A3" and len(signal.detail.slices) == 6
    assert signal.reason.startswith("the champion's predictions for airport A3 drifted by ")
    assert "in any of 6 slices" in signal.reason


@pytest.mark.parametrize(("blocks", "each"), [(5, 60), (25, 20)])
def test_without_drift_any_slice_is_beyond_chance_at_most_at_the_rate(blocks: int, each: int) -> None:
    worlds, rate, alarms = 60, 0.1, 0
    for world in range(worlds):
        found = drifts(sides(*rows(blocks, each, 1000 + world), world), rate, world)
        alarms += any(part.column.significant for part in found.values())
    assert 1 <= alarms <= 13  # 6 are nominal; three standard deviations


def test_only_slices_with_enough_rows_on_both_sides_are_compared() -> None:
    before = pd.DataFrame({"airport": ["A"] * 50 + ["B"] * 50 + ["C"] * 9, "gate": [1.0, np.nan] * 54 + [1.0]})
    batch = pd.DataFrame({"airport": ["A"] * 40 + ["B"] * 9 + ["C"] * 50, "gate": [1] * 99})
    assert large_slices(before, batch, ["airport"], 10) == {"airport A": 40}
    assert large_slices(before, batch, ["gate"], 10) == {"gate 1.0": 99}, "numbers have one name on both sides"
    many = pd.DataFrame({"airport": np.arange(100).repeat(3)})
    assert len(large_slices(many, many, ["airport"], 1)) == 50


def test_few_blocks_cannot_tell() -> None:
    batch, blocks = rows(1, 300, 1)
    signal = drift_of_slices(drifts(sides(batch, blocks)), 0.1)
    assert signal.state == "cannot tell" and "too few blocks of time" in signal.reason


@pytest.mark.parametrize(
    ("scores", "state", "first"),
    [
        ({"a": (0.5, 0.3), "b": (0.9, 1.2)}, "opens", "a"),
        ({"a": (0.35, 0.3), "b": (0.9, 1.2)}, "shut", "a"),
        ({"a": (0.2, 0.3), "b": (0.9, 1.2)}, "shut", "b"),
        ({"a": (0.5, None), "b": (0.1, 1.2)}, "shut", "b"),
        ({"a": (0.5, None), "b": (None, None)}, "cannot tell", "a"),
    ],
)
def test_a_slice_opens_beyond_chance_and_beyond_the_limit(
    scores: dict[str, tuple[float | None, float | None]], state: str, first: str
) -> None:
    columns = {name: Slice(300, Column(*pair, "wasserstein", 0.0)) for name, pair in scores.items()}
    signal = drift_of_slices(columns, 0.4)
    assert isinstance(signal.detail, SliceDriftDetail)
    assert (signal.state, signal.detail.slices[0].slice, signal.value) == (state, first, scores[first][0])


def result(name: str, loss: float) -> SliceResult:
    return SliceResult(
        slice=name, rows=500, challenger=loss, linear=1.0, dummy=1.0, difference=0.0, interval=None, passed=True
    )


def decays(batch: pd.DataFrame, blocks: pd.Series, losses: Any, seed: int = 0) -> list[SliceDecay]:
    summary = replace(VERDICT.summary, loss_error=0.001)
    promised = {name: result(name, 0.5) for name in names}
    return slice_decays(batch, ["airport"], Losses(losses, None, blocks), summary, promised, 20, 0.05, seed)


def test_one_slice_whose_loss_grows_is_seen_while_the_whole_looks_fine() -> None:
    batch, blocks = rows(25, 60, 1)
    losses = np.random.default_rng(0).normal(0.5, 0.1, len(batch)) + 0.3 * (batch["airport"] == "A3").to_numpy()
    assert losses.mean() < 0.5 + 0.1
    signal = decay_of_slices(decays(batch, blocks, losses), 0.1, TASKS["binary"])
    assert signal.state == "opens" and signal.value == pytest.approx(0.3, abs=0.05)
    assert isinstance(signal.detail, SliceDecayDetail) and len(signal.detail.slices) == 6
    assert signal.reason.startswith("the champion's log loss for airport A3 is 0.798 on this batch")
    assert "for 6 slices at once" in signal.reason
    calm = decay_of_slices(decays(batch, blocks, np.full(len(batch), 0.5)), 0.1, TASKS["binary"])
    assert calm.state == "shut"


def test_a_slice_without_rows_or_verdict_is_left_out() -> None:
    batch, blocks = rows(25, 60, 1)
    few = batch.assign(airport=np.where(np.arange(len(batch)) < 10, "A0", "new"))
    assert decays(few, blocks, np.full(len(batch), 0.5)) == []


def test_bounds_of_many_slices_hold_at_once() -> None:
    worlds, alarms = 80, 0
    for world in range(worlds):
        batch, blocks = rows(25, 40, world)
        random = np.random.default_rng(world)
        losses = random.normal(0.5, 0.3, len(batch)) + random.normal(0, 0.05, 25).repeat(40)
        found = decays(batch, blocks, losses, world)
        alarms += any(part.interval is not None and part.interval[0] > 0 for part in found)
    assert alarms <= 10  # 4 are nominal; three standard deviations


def sliced(stored: "World") -> "World":
    """A champion of a contract with slices."""
    stored.edit("contract.yaml", ("slices: []", "slices: [shop]"))
    stored.run("ingest", "validate", "featurize", "gate", "train", "evaluate", "deploy")
    return stored


def signals(world: "World", **given: Any) -> dict[str, dict[str, Any]]:
    world.run("ingest", "validate", "featurize", "gate", **{"until": "2024-04-29", "together": 1.0, **given})
    return {signal["signal"]: signal for signal in world.json("decision")["signals"]}


def test_a_shop_that_goes_wrong_opens_the_gate_alone(stored: "World", builders: Builders) -> None:
    world, orders = sliced(stored), builders["orders"]()
    south = (orders["at"] >= "2024-04-01") & (orders["shop"] == "south")
    turned = orders.assign(kept_days=orders["kept_days"].mask(south, 37 - orders["kept_days"]))
    world.lay(orders=turned)
    found = signals(world, decay=9.0, label_drift=9.0)
    slices = {part["slice"]: part["loss"] - part["verdict_loss"] for part in found["slice_decay"]["detail"]["slices"]}
    assert slices["shop south"] > 2 * found["decay"]["value"] > 4 * slices["shop north"]
    between = (slices["shop south"] + found["decay"]["value"]) / 2
    found = signals(world, decay=between, label_drift=9.0)
    assert [name for name, signal in found.items() if signal["state"] == "opens"] == ["slice_decay"]
    assert "shop south" in world.json("decision")["reasons"][0]
    assert "Slice by slice" in (world / "gate.html").read_text()
    off = signals(world, decay=between, label_drift=9.0, off="slices slice_decay")
    assert world.json("decision")["decision"] == "keep"
    assert {off[name]["state"] for name in ("slices", "slice_decay")} == {"off"}
    assert "Slice by slice" not in (world / "gate.html").read_text()


def test_a_shop_whose_predictions_move_opens_the_gate_alone(stored: "World", builders: Builders) -> None:
    world, orders = sliced(stored), builders["orders"]()
    south = (orders["at"] >= "2024-04-01") & (orders["shop"] == "south")
    world.lay(orders=orders.assign(price=orders["price"].mask(south, 50.0)))
    given = {"minimum_effect": 9.0, "off": "label decay slice_decay"}
    found = signals(world, prediction_drift=9.0, slice_drift=9.0, **given)
    whole, part = (found[name]["value"] for name in ("predictions", "slices"))
    assert part > 1.5 * whole
    between = (whole + part) / 2
    found = signals(world, prediction_drift=between, slice_drift=between, **given)
    assert [name for name, signal in found.items() if signal["state"] == "opens"] == ["slices"]
    (reason, *_) = world.json("decision")["reasons"]
    assert "the champion's predictions for shop south drifted" in reason and "(gate.slice_drift " in reason


def test_without_enough_rows_or_labels_slices_cannot_tell(stored: "World") -> None:
    world = sliced(stored)
    found = signals(world, minimum_rows=230)
    assert {found[name]["state"] for name in ("slices", "slice_decay")} == {"cannot tell"}
    assert "no slice has enough rows" in found["slices"]["reason"]
    assert world.json("decision")["decision"] == "keep", "the whole is known"
