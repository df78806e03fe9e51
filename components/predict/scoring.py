"""Asks the model for the predictions of features, batch after batch, as Arrow has them: no row is looked at alone."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tidegate.components.predict.file_columns import PREDICTION, PROBABILITY
from tidegate.contract.names import folded
from tidegate.scoring.scores import Predictions, answers
from tidegate.serving.encoding import Encoding, numbers
from tidegate.serving.fields import Field
from tidegate.serving.predictor import Predictor

ANSWERED = "tidegate answered"  # the column that is true in each row that was asked of the model


def scored(
    reader: pa.RecordBatchReader, by: Predictor, beside: list[str], count: Callable[[int], None]
) -> Iterator[pa.RecordBatch]:
    """The predictions of each batch with the columns `beside`; null for a category that the policy refuses."""
    for batch in reader:
        predictions = predicted(batch, by)
        known = ~unknown(batch, by.form.features)
        arrays = {name: batch.column(name) for name in beside} | {ANSWERED: pa.array([True] * len(batch))}
        arrays |= {name: pa.array(values, mask=~known) for name, values in answer_columns(predictions).items()}
        yield pa.record_batch(arrays)
        count(len(batch))


def predicted(batch: pa.RecordBatch, by: Predictor) -> Predictions:
    """The predictions of the features in a batch, the same as the server's to the last bit."""
    kinds, task = by.champion.record.features, by.champion.contract.task
    if by.encoding:
        return by.encoding.answer(encoded(batch, by.encoding), task)
    frame = pd.DataFrame({name: _series(batch.column(name), kind) for name, kind in kinds.items()})
    return by.champion.predict(frame)


def _series(column: pa.Array, kind: str) -> Any:
    values = column.to_numpy(zero_copy_only=False)
    return values if kind == "number" else pd.Series(values, dtype=object)


def encoded(batch: pa.RecordBatch, encoding: Encoding) -> npt.NDArray[np.float64]:
    """The input of the estimator: each category is looked up once for a batch, not once for a row."""
    table = np.empty((len(batch), len(encoding.codes) + len(encoding.numbers)))
    for place, (name, codes) in enumerate(encoding.codes.items()):
        texts, places = _dictionary(batch.column(name))
        table[:, place] = np.array([codes.get(text, encoding.unknown[name]) for text in texts])[places]
    for place, name in enumerate(encoding.numbers, len(encoding.codes)):
        table[:, place] = numbers(batch.column(name).to_numpy(zero_copy_only=False).astype(np.float64))
    return table


def _dictionary(column: pa.Array) -> tuple[list[str | None], npt.NDArray[np.int64]]:
    """The different texts of a column, None among them, and for each row the place of its own."""
    coded = column.dictionary_encode()
    texts = [*coded.dictionary.to_pylist(), None]
    return texts, coded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False).astype(np.int64)


def unknown(batch: pa.RecordBatch, fields: Mapping[str, Field]) -> npt.NDArray[np.bool_]:
    """The rows with a category that the version does not know, where such are refused."""
    rows = np.zeros(len(batch), dtype=bool)
    for name, field in fields.items():
        if field.known is not None:
            texts, places = _dictionary(batch.column(name))
            rows |= np.array([text is not None and text not in field.known for text in texts])[places]
    return rows


def answer_columns(predictions: Predictions) -> dict[str, npt.NDArray[Any]]:
    """The columns of an answer: the prediction; of many classes the most probable one, and a probability for each."""
    columns: dict[str, npt.NDArray[Any]] = {PREDICTION: answers(predictions)}
    if isinstance(predictions, pd.DataFrame):
        names = probability_names([*predictions.columns])
        columns |= {name: np.ascontiguousarray(predictions.iloc[:, place]) for place, name in enumerate(names)}
    return columns


def probability_names(classes: list[str]) -> list[str]:
    """A column for each class; names that SQL cannot tell apart end with the place of the class."""
    keys = [folded(name) for name in classes]
    return [
        f"{PROBABILITY}{name}{f'_{place}' if keys.count(key) > 1 else ''}"
        for place, (name, key) in enumerate(zip(classes, keys, strict=True), 1)
    ]
