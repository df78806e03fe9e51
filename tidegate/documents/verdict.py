"""The verdict: whether the challenger may serve, and why; what the registry and the journal keep of it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, get_args

from tidegate.documents.document import Constraint, Document, Part
from tidegate.documents.shadow import Shadow

Count = Annotated[int, Constraint(ge=0)]
Words = Annotated[str, Constraint(min_length=1)]
Digest = Annotated[str, Constraint(pattern="^sha256:[0-9a-f]{64}$")]
Interval = tuple[float, float]
Rule = Literal["upper bound at most", "lower bound at most", "below", "at most", "at least"]
ModelName = Literal["challenger", "champion", "linear", "dummy"]
MODELS: tuple[ModelName, ...] = get_args(ModelName)
CHECK_NAME = r"^(champion|linear|dummy|slices|calibration|leak|hostile rows|server|behaviour: [\s\S]+)$"


@dataclass(frozen=True)
class Policy(Part):
    """The parameters of the step evaluate."""

    margin: float
    """How much worse than the champion a challenger may be, in units of the loss."""
    slice_rows: int
    """The rows that a slice has at least."""
    calibration: float
    """The limit of the calibration error."""
    leak: float
    """The limit of the share of the label's variance that one feature explains."""


@dataclass(frozen=True)
class Question(Part):
    """What a verdict answers beside the batch and the champion: which model is evaluated, by which policy."""

    challenger: Digest
    policy: Policy


@dataclass(frozen=True)
class CheckResult(Part):
    """One condition of acceptance: the number that was found, held against its limit."""

    name: Annotated[str, Constraint(pattern=CHECK_NAME)]
    """What was checked."""
    passed: bool
    reason: Words
    """What was found, in words."""
    number: float
    """What was found."""
    interval: Interval | None
    """Two one-sided 95 % bounds; null where there is no chance in the number."""
    rule: Rule
    """How the number, or a bound of its interval, is held against the limit."""
    limit: float


@dataclass(frozen=True)
class ModelMetrics(Part):
    """The metrics of a model: those of the task that have a value on the rows."""

    model: ModelName
    loss: float
    """The mean loss by which models are compared; it is one of the metrics as well."""
    log_loss: float | None = None
    brier: float | None = None
    accuracy: float | None = None
    f1_macro: float | None = None
    roc_auc: float | None = None
    average_precision: float | None = None
    squared_error: float | None = None
    absolute_error: float | None = None
    r2: float | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics that have a value, by name."""
        return {name: value for name, value in self.document().items() if name not in ("model", "loss")}


@dataclass(frozen=True, kw_only=True)
class SliceResult(Part):
    """A slice that has enough rows: the loss of each model, and the challenger against its rival."""

    slice: str
    """The column and its value."""
    rows: Annotated[int, Constraint(ge=1)]
    challenger: float
    """The mean loss of the challenger; of the other models likewise."""
    champion: float | None = None
    linear: float
    dummy: float
    difference: float
    """Of the loss: challenger minus champion, or minus the dummy where there is no champion."""
    interval: Interval | None
    """Two one-sided 95 % bounds, for all slices at once; null where there are too few blocks to tell."""
    passed: bool

    @property
    def losses(self) -> dict[str, float]:
        """The mean loss of each model by its name."""
        return {name: value for name, value in self.document().items() if name in MODELS}


@dataclass(frozen=True)
class VerdictSummary(Part):
    """What the journal keeps of the verdict that an entry is due to."""

    loss: float
    loss_error: float
    rows: int
    blocks: int
    reasons: tuple[str, ...]
    models: tuple[ModelMetrics, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegisteredVerdict(Part):
    """What a tag of a registered version keeps of its verdict, with the place and the SHA-256 of the whole one."""

    accepted: bool
    champion: str | None
    batch: str
    loss: float
    loss_error: float
    rows: int
    blocks: int
    reasons: tuple[str, ...]
    models: tuple[ModelMetrics, ...]
    file: str
    digest: str
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> VerdictSummary:
        """What the journal keeps of it."""
        return _summary(self)


@dataclass(frozen=True)
class Needed(Part):
    """The labelled rows, and the days of them, that show the difference which was found four times out of five."""

    rows: Annotated[int, Constraint(ge=1)]
    days: Annotated[int, Constraint(ge=1)]


@dataclass(frozen=True)
class Verdict(Document):
    """verdict.json: whether the challenger may serve, and why."""

    SCHEMA: ClassVar[int] = 2

    batch: Words
    """The id of the batch on whose rows the models were evaluated."""
    challenger: Digest
    """The digest of the model file that was evaluated."""
    policy: Policy
    champion: str | None
    """The version that it was compared with; null if there was none."""
    accepted: bool
    """Whether every check passed."""
    reasons: Annotated[tuple[Words, ...], Constraint(min_length=1)]
    """In words: of a refusal the checks that failed, otherwise all."""
    rows: Annotated[int, Constraint(ge=1)]
    """The labelled rows of the batch."""
    blocks: Annotated[int, Constraint(ge=5)]
    """The blocks of the contract in which they lie."""
    earlier_verdicts: Count
    """How many other verdicts used rows of the same time before."""
    smallest_difference: Annotated[float, Constraint(ge=0)] | None
    """The smallest difference of the loss from the champion that the rows could have shown four times out of five;
    null without a champion."""
    loss: float
    """The challenger's."""
    loss_error: Annotated[float, Constraint(ge=0)]
    """Its standard error, from whole blocks drawn with replacement."""
    checks: Annotated[tuple[CheckResult, ...], Constraint(min_length=1)]
    """Every condition of acceptance."""
    models: Annotated[tuple[ModelMetrics, ...], Constraint(min_length=3)]
    """The metrics of each model on the same rows."""
    slices: tuple[SliceResult, ...]
    """Each slice that has enough rows."""
    least_probability: float | None = None
    """Of many classes: none counts as less probable than this."""
    notes: tuple[Words, ...] = ()
    """What a person should know, and which decides nothing: that a linear model would do, what may be a leak."""
    needed: Needed | None = None
    """Where the challenger could not be told from the champion: how much data would do."""
    shadow: Shadow | None = None
    """With `deploy.shadow`: the challenger beside what the champion answered to recorded requests."""

    @property
    def word(self) -> str:
        """What it says, in a word."""
        return "accepted" if self.accepted else "refused"

    @property
    def question(self) -> Question:
        """What it answers."""
        return Question(self.challenger, self.policy)

    @property
    def summary(self) -> VerdictSummary:
        """What the journal keeps of it."""
        return _summary(self)


def _summary(verdict: Verdict | RegisteredVerdict) -> VerdictSummary:
    return VerdictSummary(
        verdict.loss,
        verdict.loss_error,
        verdict.rows,
        verdict.blocks,
        verdict.reasons,
        verdict.models,
        verdict.notes,
    )
