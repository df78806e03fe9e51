"""The decay of a champion of many classes: a class it never saw counts as in the verdict that promoted it."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from tests.decisions import POLICY
from tests.documents import VERDICT, batch_of, record_of
from tidegate.components.gate.comparison import Question, comparison
from tidegate.components.gate.signals import signals
from tidegate.contract.contract import parse_contract
from tidegate.documents.signal import DecayDetail
from tidegate.tracking.champion import Champion

promise = parse_contract(
    "{name: t, purpose: p, task: multiclass, event: t, label: desk, label_delay: 1d, horizon: 1d, block: 1d, "
    "tables: {t: {files: t.csv, time: at, columns: {at: {type: timestamp}, y: {type: text, role: outcome}}}}}"
)
policy = replace(POLICY, sample_rows=100, minimum_rows=1)
batch = batch_of(id="0123456789abcdef", end="2024-05-10T00:00:00", labelled_rows=10)


def test_a_new_class_counts_by_the_rows_that_the_champion_learned_from() -> None:
    days = pd.date_range("2024-01-01", periods=99, freq="D")
    frame = pd.DataFrame({"at": days, "n": [0.0] * 99, "desk": ["a", "b", "b"] * 33})
    model = DummyClassifier().fit(frame[["n"]], frame["desk"])
    record = record_of(rows=99, features={"n": "number"}, importances={"n": 1.0}, to="2024-04-08T00:00:00")
    verdict = replace(VERDICT.summary, loss=0.5, loss_error=0.0)
    champion = Champion("1", model, promise, "", record, verdict, frame.assign(prediction="b"))
    later = pd.date_range("2024-04-30", periods=10, freq="D")
    seen = pd.DataFrame({"at": later, "n": [0.0] * 10, "desk": ["b"] * 9 + ["new"], "prediction": "b"})
    question = Question(batch, promise, policy)
    found, loss = signals(champion, question, comparison(champion, seen, question))
    (decay,) = [signal for signal in found if signal.signal == "decay"]
    expected = (-9 * math.log(2 / 3) + math.log(100)) / 10
    assert isinstance(decay.detail, DecayDetail) and loss == decay.detail.loss == pytest.approx(expected)
    assert decay.value == pytest.approx(expected - 0.5)
