"""The decision of the gate: whether to retrain for a batch, and why."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from tidegate.documents.document import Document, Part

Answer = Literal["retrain", "keep", "cannot tell"]
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
]
FeedbackKind = Literal["batch", "ignore"]
Word = Literal["right", "wrong", ""]
State = Literal["opens", "shut", "holds", "told", "cannot tell", "ignored", "off"]
ComparedRows = Literal["all rows", "labelled rows", "labelled rows with all rows"]


@dataclass(frozen=True)
class Policy(Part):
    """The section gate of params.yaml."""

    mode: str
    """auto: the signals decide; always, never: they do not."""
    off: str
    """The signals that are switched off, separated by spaces."""
    sample_rows: int
    """How many rows of each side are compared at most."""
    minimum_rows: int
    """With fewer rows, or rows with a label, a batch is not compared."""
    false_alarm_rate: float
    """The family-wise significance level of the permutation test of all columns."""
    minimum_effect: float
    """The limit of a feature: its drift times its share of the champion's importance."""
    prediction_drift: float
    """The limit of the drift of predictions."""
    label_drift: float
    """The limit of the drift of the label."""
    decay: float
    """The limit of the growth of the champion's loss."""
    max_age_days: int
    """The limit of the age of the newest row that the champion has learned from."""
    cooldown_days: int
    """For so many days after it was open the gate stays shut."""
    max_refused: int
    """After so many refused challengers of a champion the gate stays shut."""
    refused_days: int
    """Within so many days refused challengers are counted."""
    together: float = 0.05
    """The limit of the drift that a classifier of several columns finds. The defaults are those of params.yaml: a
    batch that was decided by such a policy before there were these signals is not decided again."""
    slice_drift: float = 0.5
    """The limit of the drift of predictions in a slice."""


@dataclass(frozen=True)
class ChampionModel(Part):
    """The model that served."""

    version: str
    digest: str
    """The digest of its model."""


@dataclass(frozen=True)
class Inputs(Part):
    """The identities of what was decided upon."""

    data: str
    """The version of the data, as DVC names it."""
    contract: str
    sql: str
    estimator: str
    champion: ChampionModel | None
    """Its version and the digest of its model; null before the first promotion."""


@dataclass(frozen=True)
class Window(Part):
    """The rows that were decided upon: those with an event time in [start, end)."""

    start: str
    end: str
    rows: int
    labelled_rows: int


@dataclass(frozen=True)
class Feedback(Part):
    """What a person said of a decision, or of the drift of a column."""

    kind: FeedbackKind
    about: str
    """The id of a batch, or a column."""
    said: Word
    until: str
    """Through which day the column is ignored."""
    who: str
    when: str
    why: str


@dataclass(frozen=True)
class Compared(Part):
    """How much was compared."""

    reference_rows: int
    batch_rows: int
    reference_blocks: int
    batch_blocks: int
    rows_per_block: int
    relabellings: int
    """The permutations of whole blocks between reference and batch; 0: too few blocks."""
    population: ComparedRows = "labelled rows with all rows"
    """Of which rows features and predictions are compared, on both sides alike: all rows, or the labelled ones of a
    champion whose reference sample holds no others. Label and loss are compared on labelled rows. The default is what
    decisions without this field compared: labelled training rows with all rows of the batch."""


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
class Signal(Part):
    """One thing that may open the gate or hold it shut: its value against its limit, and the state that follows."""

    name: str
    signal: Kind
    state: State
    """opens: it opens the gate; shut: it does not; holds: a brake keeps the gate shut; told: named, never opens;
    cannot tell: too few rows, labels or blocks; ignored: a person said so; off: switched off."""
    reason: str
    value: float | None
    """What was found: an effect, a growth of the loss, days, challengers."""
    limit: float | None
    """What it is held against."""
    column: str | None
    detail: DriftDetail | DecayDetail | TogetherDetail | SliceDriftDetail | SliceDecayDetail | RecipeDetail | NoDetail


@dataclass(frozen=True)
class Decision(Document):
    """decision.json: whether to retrain for a batch, and why."""

    SCHEMA: ClassVar[int] = 2

    batch: str
    """The id of the batch: data, window and recipe."""
    until: str
    """The end of the batch, at which age, cooldown and budget are measured."""
    inputs: Inputs
    window: Window
    champion: str | None
    """The version that served."""
    decision: Answer
    retrain: bool
    """Whether the decision is retrain."""
    reasons: tuple[str, ...]
    """Why, in words; what decided comes first."""
    would_change: tuple[str, ...]
    """What would have changed the decision, in words."""
    feedback: tuple[Feedback, ...]
    """What people said that holds for this batch."""
    policy: Policy
    compared: Compared | None
    """How much was compared; null where nothing was."""
    signals: tuple[Signal, ...]
