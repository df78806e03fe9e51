"""The decision of the gate: whether to retrain for a batch, and why."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from tidegate.documents.document import Document, Part
from tidegate.documents.signal import Signal

Answer = Literal["retrain", "keep", "cannot tell"]
FeedbackKind = Literal["batch", "ignore"]
Word = Literal["right", "wrong", ""]
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
    estimate: float = 0.0
    """The limit of the growth of the champion's estimated loss; 0: it opens nothing."""


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
