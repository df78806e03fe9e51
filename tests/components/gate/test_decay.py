"""The decay of a champion of many classes: a class it never saw counts as in the verdict that promoted it."""

import math

import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from components.champion import Champion
from components.contract import parse_contract
from components.gate.asking import signals

promise = parse_contract(
    "{name: t, purpose: p, task: multiclass, event: t, label: desk, label_delay: 1d, horizon: 1d, block: 1d, "
    "tables: {t: {files: t.csv, time: at, columns: {at: {type: timestamp}, y: {type: text, role: outcome}}}}}"
)


def test_a_new_class_counts_by_the_rows_that_the_champion_learned_from() -> None:
    frame = pd.DataFrame({"n": [0.0] * 99, "desk": ["a", "b", "b"] * 33})
    model = DummyClassifier().fit(frame[["n"]], frame["desk"])
    record = {"rows": 99, "features": {"n": "number"}, "importances": {"n": 1.0}}
    champion = Champion("1", model, promise, "", record, {"loss": 0.5}, frame.assign(prediction="b"))
    batch = pd.DataFrame({"n": [0.0] * 10, "desk": ["b"] * 9 + ["new"], "prediction": "b"})
    policy = {"minimum_rows": 1, "minimum_effect": 0.1, "prediction_drift": 0.1, "decay": 0.1}
    found = {signal.name: signal for signal in signals(champion, batch, {"prediction": 0.0}, {}, policy)}
    loss = (-9 * math.log(2 / 3) + math.log(100)) / 10
    assert found["decay"].detail["loss"] == pytest.approx(loss)
    assert found["decay"].value == pytest.approx(loss - 0.5)
