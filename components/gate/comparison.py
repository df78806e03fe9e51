"""What is compared: a batch as the champion sees it with what the champion learned from, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from tidegate.components.gate.column_drift import shares
from tidegate.components.gate.joint_drift import JointDrift, joint_drift
from tidegate.components.gate.permutation_test import PermutationTest, compare
from tidegate.components.gate.pictures import Picture, pictures
from tidegate.components.gate.slice_drift import Slice, large_slices, slice_drift
from tidegate.components.gate.thinning import Thinned, thinned
from tidegate.contract.contract import Contract
from tidegate.documents.batch import Batch
from tidegate.documents.decision import Compared, Policy
from tidegate.documents.record import Population
from tidegate.documents.signal import EstimateRecord, Signal
from tidegate.documents.verdict import SliceResult
from tidegate.scoring.blocks import block_of
from tidegate.scoring.seed import seed_of
from tidegate.tracking.champion import Champion
from tidegate.tracking.windows import OpenWindow

Trials = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Question:
    """What is asked: the batch, by which contract and policy, what was tried before, what is to be ignored and why.

    `promised` are the slices of the champion's verdict, `requests` is a window of requests that opened the gate,
    `record` what was estimated of earlier batches.
    """

    batch: Batch
    contract: Contract
    policy: Policy
    off: frozenset[str] = frozenset()
    trials: Trials = ()
    ignored: Mapping[str, str] = field(default_factory=dict)
    promised: Mapping[str, SliceResult] = field(default_factory=dict)
    requests: OpenWindow | None = None
    record: Sequence[EstimateRecord] = ()

    @property
    def seed(self) -> int:
        """The same batch draws the same rows and relabellings."""
        return seed_of(self.batch)


@dataclass(frozen=True)
class Comparison:
    """The rows that were compared, the kinds of their columns, the tests of each and all; `sample` is not thinned."""

    population: Population
    sample: pd.DataFrame
    rows: Thinned
    kinds: Mapping[str, str]
    tested: PermutationTest
    together: JointDrift | None
    slices: Mapping[str, Slice]

    @property
    def scores(self) -> dict[str, float]:
        """How far each column moved."""
        return {name: column.score or 0.0 for name, column in self.tested.columns.items()}

    @property
    def size(self) -> Compared:
        """How much was compared."""
        return Compared(
            reference_rows=len(self.rows.reference),
            batch_rows=len(self.rows.batch),
            reference_blocks=self.tested.reference_blocks,
            batch_blocks=self.tested.batch_blocks,
            rows_per_block=self.rows.rows_per_block,
            relabellings=self.tested.relabellings,
            population=self.population,
        )

    def pictures(self, signals: Sequence[Signal]) -> dict[str, Picture]:
        """The columns that matter, by the name of their signal."""
        return pictures(self.rows.reference, self.rows.batch, self.kinds, signals)


def comparison(champion: Champion, sample: pd.DataFrame, question: Question) -> Comparison:
    """Compare a sample of the batch with the champion's reference, column by column, block by block.

    `sample` is drawn from the batch as the reference was from the training window: see `comparable_rows`.
    """
    own, promise = champion.contract, question.contract
    blocks = [block_of(frame[own.time], promise.block) for frame in (champion.reference, sample)]
    rows = thinned(champion.reference, sample, blocks[0], blocks[1], question.policy.sample_rows, question.seed)
    kinds = {**champion.features, "prediction": _kind(own.task), own.label: label_kind(own.task)}
    tested = compare(
        rows.reference,
        rows.batch,
        rows.reference_blocks,
        rows.batch_blocks,
        kinds,
        promise.drift,
        question.policy.false_alarm_rate,
        question.seed,
        own.label,
    )
    together, parts = _together(champion, rows, question), _slices(champion, sample, rows, question)
    return Comparison(champion.record.reference, sample, rows, kinds, tested, together, parts)


def _together(champion: Champion, rows: Thinned, question: Question) -> JointDrift | None:
    """The drift of the features together, without those that a person said to ignore."""
    kinds = {name: kind for name, kind in champion.features.items() if name not in question.ignored}
    weights = shares(champion.record.importances, champion.features)
    return joint_drift(rows, kinds, weights, rate_beside(question.policy.false_alarm_rate), question.seed)


def slice_columns(champion: Champion, contract: Contract) -> list[str]:
    """The slicing columns of a contract that the champion's reference holds: its features."""
    return [name for name in contract.slices if name in champion.record.features]


def _slices(champion: Champion, sample: pd.DataFrame, rows: Thinned, question: Question) -> Mapping[str, Slice]:
    """The drift of the predictions of each slice that has enough rows."""
    promise, policy = question.contract, question.policy
    columns = slice_columns(champion, promise)
    large = large_slices(champion.reference, sample, columns, policy.minimum_rows)
    rate, kind = rate_beside(policy.false_alarm_rate), _kind(champion.contract.task)
    return slice_drift(rows, columns, large, kind, promise.drift, rate, question.seed) if large else {}


def rate_beside(rate: float) -> float:
    """The level of a test beside that of the columns: half of theirs, so that all of them hardly alarm more often."""
    return rate / 2


def comparable_rows(champion: Champion, batch: pd.DataFrame) -> pd.DataFrame:
    """The rows of a batch that are defined as those of the champion's reference.

    Whether a row has a label may depend on its features, so labelled rows are compared with labelled rows, and all
    rows with all rows. Older champions have a reference of labelled rows.
    """
    if champion.record.reference == "all rows":
        return batch
    return batch[batch[champion.contract.label].notna()]


def _kind(task: str) -> str:
    return "category" if task == "multiclass" else "number"


def label_kind(task: str) -> str:
    """The kind of column that a label is."""
    return "number" if task == "regression" else "category"
