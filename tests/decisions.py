"""Decisions as the gate files them, with the frames and the earlier batches that its page shows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tidegate.documents.decision import Answer, Compared, Decision, Inputs, Policy, Window
from tidegate.documents.signal import (
    ColumnShare,
    DecayDetail,
    DriftDetail,
    EstimateDetail,
    EstimateRecord,
    Kind,
    NoDetail,
    Signal,
    SliceDecay,
    SliceDecayDetail,
    SliceDrift,
    SliceDriftDetail,
    State,
    TogetherDetail,
)
from tidegate.tracking.decisions import PastDecision

kinds = {
    "temp": "number",
    "wind_speed": "number",
    "origin": "category",
    "carrier": "category",
    "seats": "number",
    "prediction": "number",
    "label": "category",
}
POLICY = Policy(
    mode="auto",
    off="",
    sample_rows=10000,
    minimum_rows=200,
    false_alarm_rate=0.05,
    minimum_effect=0.15,
    prediction_drift=0.25,
    label_drift=0.1,
    decay=0.02,
    max_age_days=180,
    cooldown_days=0,
    max_refused=3,
    refused_days=90,
)


def frames(seed: int = 0, names: Sequence[str] = ()) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of both sides with drift, nulls, an infinity and a new category; `names` are further columns."""
    random = np.random.default_rng(seed)
    sides = []
    for rows, warmer, carriers in ((4000, 0.0, "AA B6 DL UA"), (2500, 18.0, "AA B6 DL UA VX")):
        side = pd.DataFrame(
            {
                "temp": random.normal(48 + warmer, 14, rows),
                "wind_speed": random.gamma(2, 5, rows),
                "origin": random.choice(["EWR", "JFK", "LGA"], rows, p=[0.5, 0.3, 0.2] if warmer else [0.3, 0.3, 0.4]),
                "carrier": random.choice(carriers.split(), rows),
                "seats": random.choice([20.0, 55.0, 150.0, 200.0], rows),
                "prediction": random.beta(2 + warmer / 9, 6, rows),
                "label": (random.uniform(size=rows) < 0.2 + warmer / 150).astype(float),
                **{name: random.normal(size=rows) for name in names},
            }
        )
        side.loc[: rows // (3 if warmer else 50), "wind_speed"] = np.nan
        side.loc[rows - 1, "temp"] = np.inf
        sides.append(side)
    return sides[0], sides[1]


def signal(
    name: str, kind: Kind, state: State, value: float | None = None, limit: float | None = None, **changed: Any
) -> Signal:
    """One signal of a decision."""
    reason = f"{name} is {value} of {limit}"
    return replace(Signal(name, kind, state, reason, value, limit, None, NoDetail()), **changed)


def drift(score: float, importance: float | None, chance: float | None = 0.12, **changed: Any) -> DriftDetail:
    """The detail of a column's drift."""
    detail = DriftDetail(score, chance, importance, "Wasserstein distance (normed)", 0.0, ())
    return replace(detail, **changed)


def feature(column: str, score: float, importance: float, state: State = "shut", **changed: Any) -> Signal:
    """The signal of a feature's drift."""
    detail = drift(score, importance, **changed)
    reason = f"{column} drifted by {score:.2f} and carries {importance:.0%} of the champion's importance"
    return Signal(f"drift of {column}", "features", state, reason, round(score * importance, 4), 0.15, column, detail)


def compared(predictions: State = "opens", decay: State = "opens", temp: State = "opens") -> list[Signal]:
    """The signals of a champion that was compared with a batch."""
    told_apart = TogetherDetail(
        0.71,
        0.62,
        (ColumnShare("temp", 0.55, 0.41), ColumnShare("wind_speed", 0.4, 0.22), ColumnShare("seats", 0.05, 0.0)),
    )
    slices = SliceDriftDetail(
        "wasserstein", (SliceDrift("origin JFK", 3200, 0.27, 0.31), SliceDrift("carrier UA", 1700, None, None))
    )
    slice_losses = SliceDecayDetail(
        (
            SliceDecay("origin JFK", 3100, 0.571, 0.537, (-0.02, 0.07)),
            SliceDecay("origin LGA", 2900, 0.5, 0.52, (-0.1, 0.03)),
            SliceDecay("carrier UA", 1600, 0.5, 0.4, None),
        )
    )
    record = [(0.48, 0.52), (0.47, 0.5), (0.452, 0.609)]
    estimated = EstimateDetail(
        0.463,
        0.461,
        0.537,
        (-0.21, 0.18),
        tuple(EstimateRecord(f"2013-0{month}-01", *pair) for month, pair in enumerate(record, start=4)),
    )
    grown = DecayDetail(loss=0.571, verdict_loss=0.537, interval=(0.012, 0.056))
    return [
        signal("champion", "champion", "shut", reason="version 1 serves"),
        signal("recipe", "recipe", "named", reason="features.sql differs from the champion's"),
        signal("drift of predictions", "predictions", predictions, 0.31, 0.25, detail=drift(0.31, None, 0.14)),
        signal("drift of the label", "label", "shut", 0.04, 0.1, detail=drift(0.04, None, 0.06)),
        signal("decay", "decay", decay, 0.034, 0.02, detail=grown),
        signal("drift of columns together", "together", "shut", 0.03, 0.05, detail=told_apart),
        signal("drift of slices", "slices", "shut", 0.27, 0.25, detail=slices),
        signal("decay of slices", "slice_decay", "shut", 0.034, 0.02, detail=slice_losses),
        signal("estimated loss", "estimate", "off", -0.004, None, detail=estimated),
        signal("age", "age", "shut", 62, 180, reason="the champion learned from rows up to 62 days ago"),
        signal("cooldown", "cooldown", "shut", 31, 7, reason="the gate was last open 31 days ago"),
        signal("budget", "budget", "shut", 1, 3, reason="1 of 3 refused challengers within 90 days"),
        feature("temp", 1.21, 0.41, temp),
        feature("wind_speed", 0.44, 0.22, "ignored", null_shift=0.31),
        feature("origin", 0.21, 0.2, method="Jensen-Shannon distance"),
        feature("carrier", 0.3, 0.1, method="Jensen-Shannon distance", new=("VX",)),
        feature("seats", 0.02, 0.07),
    ]


def decision(answer: Answer, signals: Sequence[Signal] = (), **changed: Any) -> Decision:
    """A decision about four weeks of flights."""
    size = Compared(8400, 8100, 305, 28, 300, 999)
    found = Decision(
        batch="d0855ff9d5721423",
        until="2013-07-01",
        inputs=Inputs("bf6e.dir", "c" * 64, "5" * 64, "e" * 64, None),
        window=Window("2013-06-03T00:00:00", "2013-07-01T00:00:00", 26264, 24543),
        champion="1",
        decision=answer,
        retrain=answer == "retrain",
        reasons=("the champion's log loss grew by 0.034 (0.571, it was 0.537), more than gate.decay 0.02",),
        would_change=("gate.decay above 0.034, and gate.prediction_drift above 0.31, would have kept it shut",),
        feedback=(),
        policy=POLICY,
        compared=size if signals else None,
        signals=tuple(signals),
    )
    return replace(found, **changed)


def past(
    batches: int, names: Sequence[str] = ("decay", "drift of predictions", "drift of temp")
) -> list[PastDecision]:
    """Earlier batches, the first of which has no known loss."""
    random = np.random.default_rng(batches)
    return [
        PastDecision(
            until=f"{2011 + turn // 12}-{turn % 12 + 1:02}-01",
            batch=f"{turn:016x}",
            decision="retrain" if turn % 4 == 3 else "keep",
            champion=str(turn // 4 + 1),
            rows=25000,
            loss=round(0.5 + float(random.normal(0, 0.03)), 4) if turn else None,
            signals={name: (round(float(random.normal(0.1, 0.1)), 4), 0.15) for name in names},
            promised=0.48 + turn // 4 / 100,
        )
        for turn in range(batches)
    ]
