"""The predictor: kserve's model, which loads the champion and answers rows with it."""

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from kserve import Model

from tidegate.scoring.scores import Predictions, answers
from tidegate.serving import metrics
from tidegate.serving.explanation import Explanation, explanation
from tidegate.serving.follower import Follower
from tidegate.serving.predictor import Predictor
from tidegate.serving.recorded_prediction import Prediction, request_id
from tidegate.serving.recorder import Recorder, recorder
from tidegate.serving.refusal import BUSY, TOO_LARGE, RefusalError, unlike
from tidegate.serving.rows import Rows

MOST_THREADS = 4
MOST_EXPLAINED = 100  # rows of a request: each costs thousands of predictions
MOST_WAITING = 100  # requests that are computed or wait for a thread; more are sent away


@dataclass(frozen=True)
class Question:
    """Rows in the form of the version that will predict them, and whether it is to explain its predictions."""

    rows: Rows
    by: Predictor
    explain: bool = False


@dataclass(frozen=True)
class Answer:
    """The predictions of the rows of a request, by a version, and why it made them if that was asked.

    `request` is the id under which they are recorded.
    """

    request: str
    version: str
    predictions: Predictions
    explanation: Explanation | None = None

    def __len__(self) -> int:
        return len(self.predictions)

    @property
    def values(self) -> list[Any]:
        """A value for each row: the probability of true, the number, or the most probable class."""
        predicted: list[Any] = answers(self.predictions).tolist()
        return predicted

    @property
    def probabilities(self) -> pd.DataFrame | None:
        """Of many classes, their probabilities: a column each."""
        return self.predictions if isinstance(self.predictions, pd.DataFrame) else None


class ChampionModel(Model):  # type: ignore[misc]
    """The champion of a problem, under its name."""

    def __init__(self, follower: Follower) -> None:
        super().__init__(follower.name)
        self.follower = follower
        self.recorder = recorder(follower.settings, follower.tell)
        self.ending = False
        self._threads = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="predict")
        self._waiting = 0

    def load(self) -> bool:
        """Look for the champion; whether a version serves."""
        self.ready = self.follower.look()
        return self.ready

    async def healthy(self) -> bool:
        """Whether a version serves that was checked, and the server does not end."""
        return self.follower.current is not None and not self.ending

    def current(self) -> Predictor:
        """The version that serves; RefusalError before there is one."""
        serving = self.follower.current
        if serving is None:
            raise RefusalError(BUSY, f"{self.name}: expected a model that is ready, found none yet")
        return serving

    async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Answer:
        """The answer to a Question; RefusalError when too many wait.

        The headers may hold the id of the request, under which it is recorded.
        """
        if self._waiting >= MOST_WAITING:
            raise RefusalError(BUSY, f"{self.name}: expected fewer requests at once, found {self._waiting:,}")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, answer, payload, self.recorder, headers or {})
        finally:
            self._waiting -= 1

    def get_input_types(self) -> list[dict[str, Any]]:
        """The features by name, as tensors."""
        features = self.current().champion.record.features
        types = {"number": "FP64"}
        return [{"name": name, "datatype": types.get(kind, "BYTES"), "shape": [-1]} for name, kind in features.items()]

    def get_output_types(self) -> list[dict[str, Any]]:
        """The predictions, as tensors."""
        if self.current().champion.contract.task != "multiclass":
            return [{"name": "prediction", "datatype": "FP64", "shape": [-1]}]
        return [
            {"name": "prediction", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, -1]},
        ]


def answer(question: Question, record: Recorder | None, headers: Mapping[str, str]) -> Answer:
    """The answer to a request, which is recorded."""
    rows, by = question.rows, question.by
    if question.explain and len(rows) > MOST_EXPLAINED:
        raise unlike("explain", f"at most {MOST_EXPLAINED} rows to explain", f"{len(rows):,}", TOO_LARGE)
    request, features = request_id(headers), by.features(rows)
    predictions = by.predict(features)
    metrics.ROWS.labels(rows.kind).inc(len(rows))
    if record:
        own, now = by.champion, datetime.now(UTC).replace(tzinfo=None)
        names = own.contract.identity if rows.kind == "event" else []
        identity = {name: rows.columns[name] for name in names}
        record.add(Prediction(request, now, own, rows.kind, identity, features, predictions))
    classes = [*answers(predictions)] if isinstance(predictions, pd.DataFrame) else None
    why = explanation(by.predict, by.background, features, classes) if question.explain else None
    return Answer(request, by.version, predictions, why)
