"""The signals of the gate: what may open it, what holds it shut, and how each was measured."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tidegate.documents.document import Part, Renamed

Kind = Literal[
    "champion",
    "recipe",
    "predictions",
    "label",
    "decay",
    "together",
    "slices",
    "slice_decay",
    "age",
    "cooldown",
    "budget",
    "features",
    "requests",
    "estimate",
]
State = Annotated[
    Literal["opens", "shut", "holds", "named", "cannot tell", "ignored", "off"],
    Renamed({"told": "named"}),  # as decisions before 0.1.0 have it
]


@dataclass(frozen=True)
class NoDetail(Part):
    """A signal without details."""


@dataclass(frozen=True)
class RecipeDetail(Part):
    """Which parts of the recipe differ from the champion's."""

    differs: tuple[str, ...]


@dataclass(frozen=True)
class DriftDetail(Part):
    """The drift of a column between the champion's reference and the batch."""

    score: float | None
    """Evidently's drift score."""
    chance: float | None
    """The critical value of the score: its maximum over all columns exceeds it at the rate gate.false_alarm_rate
    where nothing drifts."""
    importance: float | None
    """The share of the champion's permutation importance."""
    method: str
    null_shift: float
    """The batch's share of rows without a value minus the reference's."""
    new: tuple[str, ...]
    """Categories that only the batch has, at most five."""


@dataclass(frozen=True)
class DecayDetail(Part):
    """The champion's loss on the batch and on the rows of its verdict."""

    loss: float
    verdict_loss: float
    interval: tuple[float, float] | None
    """The confidence interval of the difference; null: too few blocks."""


@dataclass(frozen=True)
class ColumnShare(Part):
    """How much a column has part in a drift of several."""

    column: str
    share: float
    """The share of the classifier's permutation importance."""
    importance: float
    """The share of the champion's permutation importance."""


@dataclass(frozen=True)
class TogetherDetail(Part):
    """How well a classifier that sees several columns at once tells the batch from the champion's reference."""

    area: float
    """The area under its ROC curve, of rows of blocks that it has not learned from; 0.5: not at all."""
    chance: float | None
    """What it exceeds at half of the rate gate.false_alarm_rate where nothing drifts; null: too few blocks."""
    columns: tuple[ColumnShare, ...]
    """What it tells them apart by, the largest share first; at most ten."""


@dataclass(frozen=True)
class SliceDrift(Part):
    """The drift of the champion's predictions in a slice."""

    slice: str
    """The column and its value."""
    rows: int
    """Its rows in the sample of the batch."""
    score: float | None
    """Evidently's drift score."""
    chance: float | None
    """The critical value of the score: its maximum over all slices exceeds it at half of the rate
    gate.false_alarm_rate where nothing drifts; null: too few blocks."""


@dataclass(frozen=True)
class SliceDriftDetail(Part):
    """The slices that have enough rows, the one that is nearest to opening the gate first; at most fifty."""

    method: str
    slices: tuple[SliceDrift, ...]


@dataclass(frozen=True)
class SliceDecay(Part):
    """The champion's loss in a slice of the batch, and in that slice of its verdict."""

    slice: str
    rows: int
    """Its labelled rows in the sample of the batch."""
    loss: float
    verdict_loss: float
    interval: tuple[float, float] | None
    """The confidence interval of the difference, for all slices at once; null: too few blocks."""


@dataclass(frozen=True)
class SliceDecayDetail(Part):
    """The slices that have enough rows in batch and verdict, the one that is nearest to opening the gate first."""

    slices: tuple[SliceDecay, ...]


@dataclass(frozen=True)
class EstimateRecord(Part):
    """What was estimated of the labelled rows of an earlier batch, and the champion's loss on them."""

    until: str
    """The end of the batch."""
    estimate: float
    loss: float


@dataclass(frozen=True)
class EstimateDetail(Part):
    """The champion's loss as estimated without labels, beside the record of such estimates."""

    estimate: float
    """On all compared rows, before it is corrected by the mean error of the record."""
    labelled: float | None
    """On those of them that have a label: what a later record compares with the loss; null without any."""
    verdict_loss: float
    interval: tuple[float, float] | None
    """The prediction interval of the growth of the loss that the record allows; null: it has too few batches."""
    record: tuple[EstimateRecord, ...]
    """The earlier batches whose labels were known, the oldest first; at most sixty."""


@dataclass(frozen=True)
class RequestsDetail(Part):
    """The window of requests that opened the gate."""

    window: str
    """Its id."""
    end: str
    """The moment at which it ended."""


Detail = (
    DriftDetail
    | DecayDetail
    | TogetherDetail
    | SliceDriftDetail
    | SliceDecayDetail
    | RecipeDetail
    | RequestsDetail
    | EstimateDetail
    | NoDetail
)


@dataclass(frozen=True)
class Signal(Part):
    """One thing that may open the gate or hold it shut: its value against its limit, and the state that follows."""

    name: str
    signal: Kind
    state: State
    """opens: it opens the gate; shut: it does not; holds: a brake keeps the gate shut; named: it never opens;
    cannot tell: too few rows, labels or blocks; ignored: a person said so; off: switched off, or without a limit."""
    reason: str
    value: float | None
    """What was found: an effect, a growth of the loss, days, challengers."""
    limit: float | None
    """What it is held against."""
    column: str | None
    detail: Detail
