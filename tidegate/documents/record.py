"""The training record: what a model was made from, by what, and what training measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tidegate.documents.batch import Recipe
from tidegate.documents.document import Document, Part

Population = Literal["all rows", "labelled rows"]


@dataclass(frozen=True)
class Estimator(Part):
    """What model.yaml asks for."""

    estimator: str
    """The class of scikit-learn, by its full name."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Its hyper-parameters, with the seed."""
    transformers: Mapping[str, str] = field(default_factory=dict)
    """The transformer of each feature that model.yaml names."""


@dataclass(frozen=True)
class LearningPoint(Part):
    """The mean loss of a model that learned from the last so many rows of the head of the history."""

    rows: int
    train_loss: float
    held_out_loss: float
    """On the tail of the history, which it did not see."""


@dataclass(frozen=True)
class MadeFrom(Part):
    """The batch before which the model was trained: its window, the recipe, and the raw data."""

    start: str
    end: str
    recipe: Recipe
    files: Mapping[str, str]
    """The MD5 of each file of raw data."""


@dataclass(frozen=True)
class Environment(Part):
    """Where a training ran."""

    python: str
    system: str
    cpu: str
    blas: str
    """The libraries of linear algebra, with the kind of processor that they chose their code for."""
    lock: str
    """SHA-256 of the lock of this version of Tidegate."""
    tidegate: str
    """The version of Tidegate."""
    wheel: str
    """SHA-256 of its wheel."""


@dataclass(frozen=True, kw_only=True)
class Record(Document):
    """record.json: what a model was made from, by what, and what training measured."""

    batch: str
    """The id of the batch."""
    data: str
    """The version of the data, as DVC names it."""
    rows: int
    from_: str
    """The event time of the first training row."""
    to: str
    """The event time of the last training row."""
    estimator: Estimator
    features: Mapping[str, str]
    """The kind of each feature that it learned from: number, category or words."""
    dropped: Mapping[str, str] = field(default_factory=dict)
    """Why it did not learn from a feature."""
    lone_classes: Sequence[str] = ()
    """Classes with one training row, which are left out."""
    digest: str
    """Of the model: `sha256:` and 64 hexadecimal digits."""
    baselines_digest: str
    reference: Population = "labelled rows"
    """Which events of the time of the training rows the reference sample is drawn from."""
    train_loss: float
    """The mean loss on the training rows."""
    learning_curve: Sequence[LearningPoint]
    importances: Mapping[str, float]
    """How much the loss on held-out rows grows when a feature's values are shuffled; the largest first."""
    made_from: MadeFrom
    environment: Environment
    packages: Mapping[str, str]
    """The version of each installed package."""
