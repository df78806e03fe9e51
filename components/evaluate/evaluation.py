"""The evaluation: every model on the same labelled rows of the batch, and the verdict that follows from the checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from tidegate.components.evaluate.calibration import calibration
from tidegate.components.evaluate.checks import calibrated
from tidegate.components.evaluate.comparison import Comparison
from tidegate.components.evaluate.paired_difference import Difference
from tidegate.contract.contract import Contract
from tidegate.documents.batch import Batch
from tidegate.documents.verdict import CheckResult, ModelMetrics, ModelName, Question, Verdict
from tidegate.process.errors import InputError
from tidegate.scoring.blocks import block_of
from tidegate.scoring.scores import Labels, Predictions, Vector, labels, least_known, losses, metrics, weights
from tidegate.scoring.seed import seed_of
from tidegate.scoring.slices import slices
from tidegate.scoring.tasks import TASKS

LEAST_BLOCKS = 5  # fewer say nothing about how much a batch varies
LABELS_NEEDED = {"binary": "both outcomes", "multiclass": "at least two classes"}


def labelled(features: pd.DataFrame, contract: Contract, batch: Batch) -> pd.DataFrame:
    """The rows of the batch that have a label; InputError when models cannot be evaluated on them."""
    rows = features[(features["split"] == "batch") & features[contract.label].notna()]
    place = f"batch {batch.start[:10]} to {batch.end[:10]}"
    if contract.task in LABELS_NEEDED and rows[contract.label].nunique() < 2:
        raise InputError(
            f"{place}: {contract.label}",
            f"labelled rows of {LABELS_NEEDED[contract.task]}",
            f"{len(rows):,} rows of {rows[contract.label].nunique()}",
            "lengthen ingest.batch_days or look at label_delay",
        )
    blocks = block_of(rows[contract.time], contract.block).nunique()
    if blocks < LEAST_BLOCKS:
        raise InputError(
            f"{place}: block {contract.block}",
            f"labelled rows in at least {LEAST_BLOCKS} blocks",
            str(blocks),
            "lengthen ingest.batch_days or shorten the contract's block",
        )
    return rows


@dataclass(frozen=True)
class Evaluation:
    """What a verdict follows from: the predictions of each model for the same labelled rows.

    `champion` is the version that serves. `training_rows` is the number of the challenger's, by which the probability
    of unknown classes is bounded in all models. `challenger_checks` are the checks of the challenger alone,
    `estimator` is its class, `importances` the gains of its features and `notes` what is to be known of it,
    `earlier_verdicts` the number of those that used these rows before.
    """

    contract: Contract
    batch: Batch
    question: Question
    champion: str | None
    rows: pd.DataFrame
    predictions: Mapping[ModelName, Predictions]
    training_rows: int
    challenger_checks: Sequence[CheckResult] = ()
    estimator: str = ""
    importances: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()
    earlier_verdicts: int = 0

    @cached_property
    def label(self) -> Labels:
        """The label of each row."""
        return labels(self.rows, self.contract.label, self.contract.task)

    @cached_property
    def weight(self) -> Vector | None:
        """The weight of each row; None when all count alike."""
        return weights(self.rows, self.contract.weight)

    @cached_property
    def blocks(self) -> pd.Series:
        """The block of each row."""
        return block_of(self.rows[self.contract.time], self.contract.block)

    @property
    def least_probability(self) -> float:
        """Of many classes: none counts as less probable than this."""
        return least_known(self.training_rows)

    @property
    def seed(self) -> int:
        """The seed of what is resampled."""
        return seed_of(self.batch)

    def comparison(self) -> Comparison:
        """The losses of the models."""
        contract, policy = self.contract, self.question.policy
        return Comparison(
            losses={
                model: losses(self.label, predicted, contract.task, self.least_probability)
                for model, predicted in self.predictions.items()
            },
            blocks=self.blocks,
            weight=self.weight,
            seed=self.seed,
            task=TASKS[contract.task],
            margin=policy.margin,
            slices=slices(self.rows, contract.slices, policy.slice_rows),
            days=self.batch.days,
        )

    def metrics(self) -> tuple[ModelMetrics, ...]:
        """The metrics of each model."""
        task = self.contract.task
        values = {
            model: metrics(self.label, predicted, task, self.weight, self.least_probability)
            for model, predicted in self.predictions.items()
        }
        return tuple(ModelMetrics(model, own[TASKS[task].loss], **own) for model, own in values.items())

    def calibration_check(self) -> CheckResult:
        """The calibration error of the challenger, against the limit and that of the champion or the linear model."""
        limit = self.question.policy.calibration
        if "champion" in self.predictions:
            return calibrated(self._calibration("challenger"), limit, "champion", self._calibration("champion").mean)
        return calibrated(self._calibration("challenger"), limit, "linear model", self._calibration("linear").mean)

    def _calibration(self, model: ModelName) -> Difference:
        task = self.contract.task
        return calibration(self.label, self.predictions[model], task, self.blocks, self.seed, self.weight)


def verdict(evaluation: Evaluation) -> Verdict:
    """The verdict on the challenger: it is accepted when every check passed."""
    comparison, metrics_ = evaluation.comparison(), evaluation.metrics()
    checks = (*comparison.checks(), evaluation.calibration_check(), *evaluation.challenger_checks)
    accepted = all(check.passed for check in checks)
    return Verdict(
        batch=evaluation.batch.id,
        challenger=evaluation.question.challenger,
        policy=evaluation.question.policy,
        champion=evaluation.champion,
        accepted=accepted,
        reasons=tuple(check.reason for check in checks if check.passed == accepted),
        rows=len(evaluation.rows),
        blocks=evaluation.blocks.nunique(),
        earlier_verdicts=evaluation.earlier_verdicts,
        smallest_difference=comparison.smallest_difference,
        loss=next(result.loss for result in metrics_ if result.model == "challenger"),
        loss_error=comparison.loss_error,
        checks=checks,
        models=metrics_,
        slices=comparison.slice_results(),
        least_probability=evaluation.least_probability if evaluation.contract.task == "multiclass" else None,
        notes=(*evaluation.notes, *comparison.notes(evaluation.estimator, evaluation.importances)),
        needed=comparison.needed,
    )
