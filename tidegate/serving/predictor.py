"""A version that answers: its form, its features of what is asked, and its predictions of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from tidegate.process.errors import InputError, ModelError
from tidegate.scoring.scores import Predictions, answers, differing
from tidegate.serving.clean_tables import Tables
from tidegate.serving.encoding import Columns, Encoding, encoding, frame_of
from tidegate.serving.events import features_of
from tidegate.serving.fields import event_fields, feature_fields
from tidegate.serving.refusal import INVALID, RefusalError
from tidegate.serving.rows import Form, Rows
from tidegate.tracking.champion import Champion, none_for_null

MOST_GOLDEN = 1000
BACKGROUND_ROWS, SEED = 100, 0


@dataclass(frozen=True)
class Predictor:
    """A version with what it needs to answer, and an instance as an example.

    Without `tables` it answers features by name only, without `encoding` its whole pipeline is asked.
    """

    champion: Champion
    form: Form
    tables: Tables | None
    example: Mapping[str, Any]
    encoding: Encoding | None

    @property
    def version(self) -> str:
        """The version in the registry."""
        return self.champion.version

    @cached_property
    def background(self) -> dict[str, list[Any]]:
        """Features of some rows that the version learned from, which an explanation compares with."""
        sample = self.champion.reference
        rows = sample.sample(min(len(sample), BACKGROUND_ROWS), random_state=SEED)
        return {name: [*map(none_for_null, rows[name].tolist())] for name in self.champion.record.features}

    def features(self, rows: Rows) -> Mapping[str, Sequence[Any]]:
        """The features of what is asked, those of events by the version's own SQL."""
        if rows.kind == "features":
            return rows.columns
        if self.tables is None:
            raise RefusalError(INVALID, "instances: expected features by name, found events (there are no tables)")
        own = self.champion
        features = features_of(rows.columns, self.tables, own.contract, own.sql, own.record.features)
        _check_known(features, self.form)
        return features

    def predict(self, features: Columns) -> Predictions:
        """The predictions of features in columns."""
        own = self.champion
        if self.encoding:
            return self.encoding.predict(features, own.contract.task)
        return own.predict(frame_of(features, own.record.features))


def predictor(champion: Champion, tables: Tables | None, unknown: str, most_rows: int) -> Predictor:
    """A version that has answered its golden rows as it did in training; ModelError if it does not."""
    known = categories(champion) if unknown == "refuse" else {}
    form = Form(
        event_fields(champion.contract),
        feature_fields(champion.record.features, known),
        champion.contract.time,
        most_rows,
    )
    newest = tables.newest(form.event) if tables else None
    kinds, task = champion.record.features, champion.contract.task
    fast = encoding(champion.model, kinds, task, champion.golden(MOST_GOLDEN))
    candidate = Predictor(champion, form, tables, _example(champion, newest), fast)
    _check_golden(candidate)
    if newest:
        _check_event(candidate, newest)
    return candidate


def _example(champion: Champion, newest: Mapping[str, Any] | None) -> dict[str, Any]:
    """An instance that can be asked: the latest event, without tables the features of a golden row."""
    if newest:
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in newest.items()}
    return {name: values[0] for name, values in champion.golden(1).items()}


def categories(champion: Champion) -> dict[str, Collection[str]]:
    """The categories of each feature that a version knows, by the encoder that it was fitted with."""
    names = [name for name, kind in champion.record.features.items() if kind == "category"]
    encoder = champion.model["encode"].named_transformers_["category"] if names else None
    return {
        name: frozenset(value for value in values if isinstance(value, str))
        for name, values in zip(names, encoder.categories_ if encoder else (), strict=True)
    }


def _check_known(features: Mapping[str, Sequence[Any]], form: Form) -> None:
    """RefusalError for a category that the version does not know, where such are refused."""
    for name, field in form.features.items():
        for row, value in enumerate(features[name] if field.known is not None else ()):
            if value is not None and value not in (field.known or ()):
                raise RefusalError(INVALID, f"instances[{row}]: expected a {name} that the model knows, found another")


def _check_golden(candidate: Predictor) -> None:
    """ModelError unless the version predicts rows of its reference sample as it did when it was trained."""
    own = candidate.champion
    expected = own.reference["prediction"].head(MOST_GOLDEN).to_numpy()
    try:
        served = answers(candidate.predict(own.golden(MOST_GOLDEN)))
    except (InputError, ValueError, ArithmeticError, KeyError) as error:
        raise _unlike(own, "predictions of its golden rows", type(error).__name__) from None
    if other := differing(expected, served):
        there = f"others of {other:,} of {len(expected):,} rows"
        raise _unlike(own, "the predictions that it gave in training", there)


def _check_event(candidate: Predictor, newest: Mapping[str, Any]) -> None:
    """ModelError unless the version's own SQL gives the features of the latest event."""
    try:
        candidate.features(Rows("event", {name: [value] for name, value in newest.items()}))
    except RefusalError as error:
        raise _unlike(candidate.champion, "features of the latest event", str(error)) from None


def _unlike(own: Champion, expected: str, there: str) -> ModelError:
    place = f"{own.contract.name} version {own.version}"
    return ModelError(place, expected, there, "promote another version with `tidegate rollback`")
