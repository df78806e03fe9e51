"""From a champion and a batch to the signals that may open the gate."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from tidegate.components.gate import age, column_drift, joint_drift
from tidegate.components.gate.comparison import Comparison, Question, rate_beside, slice_columns
from tidegate.components.gate.decay import growth
from tidegate.components.gate.estimate import estimated
from tidegate.components.gate.expected_loss import expected_losses
from tidegate.components.gate.slice_decay import Losses, decay_of_slices, slice_decays
from tidegate.components.gate.slice_drift import drift_of_slices
from tidegate.documents.decision import Policy
from tidegate.documents.signal import NoDetail, Signal
from tidegate.scoring.blocks import block_of
from tidegate.scoring.scores import Vector, labels, least_known, losses, mean, weights
from tidegate.scoring.tasks import TASKS
from tidegate.tracking.champion import Champion


def signals(
    champion: Champion | None, question: Question, compared: Comparison | str
) -> tuple[list[Signal], float | None]:
    """Every signal, and the champion's loss on the batch; of rows that cannot be compared the reason is given."""
    if champion is None:
        return [Signal("champion", "champion", "opens", str(compared), None, None, None, NoDetail())], None
    policy, batch, record = question.policy, question.batch, champion.record
    lost = _losses(champion, question, compared)
    learned = record.made_from.recipe
    budget = (question.trials, champion.version, batch.end, policy.max_refused, policy.refused_days)
    measured = [
        age.recipe(learned, batch.recipe),
        _predictions(compared, policy),
        _label(champion, question, compared),
        _decay(champion, question, lost),
        _together(champion, question, compared),
        *age.requests(question.requests),
        *_estimate(champion, question, compared),
        age.age(record.to, batch.end, policy.max_age_days),
        age.cooldown(question.trials, batch.end, policy.cooldown_days),
        age.budget(*budget),
        *_slices(champion, question, compared, lost),
        *_features(champion, question, compared),
    ]
    loss = None if isinstance(lost, str) else mean(lost.values, lost.weight)
    return [_switched_off(signal) if signal.signal in question.off else signal for signal in measured], loss


def _switched_off(signal: Signal) -> Signal:
    return replace(signal, state="off", reason=f"switched off by gate.off: {signal.reason}")


def _features(champion: Champion, question: Question, compared: Comparison | str) -> list[Signal]:
    if isinstance(compared, str):
        return [column_drift.too_few("features", compared)]
    columns = {name: compared.tested.columns[name] for name in champion.features}
    importances = champion.record.importances
    return column_drift.features(columns, importances, question.policy.minimum_effect, question.ignored)


def _predictions(compared: Comparison | str, policy: Policy) -> Signal:
    if isinstance(compared, str):
        return column_drift.too_few("predictions", compared)
    return column_drift.predictions(compared.tested.columns["prediction"], policy.prediction_drift)


def _label(champion: Champion, question: Question, compared: Comparison | str) -> Signal:
    if reason := _unlabelled(question, compared):
        return column_drift.too_few("label", reason)
    assert isinstance(compared, Comparison)
    name = champion.contract.label
    return column_drift.label(compared.tested.columns[name], question.policy.label_drift, name)


def _together(champion: Champion, question: Question, compared: Comparison | str) -> Signal:
    if isinstance(compared, str):
        return column_drift.too_few("together", compared)
    if compared.together is None:
        return column_drift.too_few("together", "no two values of any feature differ that is compared")
    weights = column_drift.shares(champion.record.importances, champion.features)
    return joint_drift.together(compared.together, weights, question.policy.together)


def _unlabelled(question: Question, compared: Comparison | str) -> str:
    """Why the labels of the batch tell nothing; empty if they do."""
    if isinstance(compared, str):
        return compared
    rows, least = question.batch.labelled_rows, question.policy.minimum_rows
    reason = f"{rows:,} rows with a label are too few to tell a change from chance (gate.minimum_rows {least:,})"
    return reason if rows < least else ""


def _losses(champion: Champion, question: Question, compared: Comparison | str) -> Losses | str:
    """The champion's loss of each labelled row, or why there is none."""
    if reason := _unlabelled(question, compared):
        return reason
    assert isinstance(compared, Comparison)
    own, task = champion.contract, champion.contract.task
    labelled = _labelled(champion, compared)
    least = least_known(champion.record.rows)
    values = losses(labels(labelled, own.label, task), champion.predicted(labelled), task, least)
    return Losses(values, weights(labelled, own.weight), block_of(labelled[own.time], question.contract.block))


def _labelled(champion: Champion, compared: Comparison) -> pd.DataFrame:
    return compared.sample[compared.sample[champion.contract.label].notna()]


def _decay(champion: Champion, question: Question, lost: Losses | str) -> Signal:
    """The champion's loss on the labelled rows, against that of its verdict."""
    if isinstance(lost, str):
        return column_drift.too_few("decay", lost)
    if champion.verdict is None:
        return column_drift.too_few("decay", "the champion has no verdict to compare with")
    verdict, policy = champion.verdict, question.policy
    rate, loss = rate_beside(policy.false_alarm_rate), mean(lost.values, lost.weight)
    grown = growth(lost.values, lost.blocks, lost.weight, verdict.loss, verdict.loss_error, rate, question.seed)
    return age.decay(grown, loss, verdict.loss, policy.decay, TASKS[champion.contract.task])


def _estimate(champion: Champion, question: Question, compared: Comparison | str) -> list[Signal]:
    """The loss that can be expected without labels; nothing where nothing is compared, or without a verdict."""
    if isinstance(compared, str) or champion.verdict is None:
        return []
    expected, contract = expected_losses(champion, compared.sample), champion.contract
    known = compared.sample[contract.label].notna().to_numpy()
    labelled = None
    if known.any():
        labelled = mean(expected[known], weights(compared.sample[known], contract.weight))
    limit, task = question.policy.estimate, TASKS[contract.task]
    whole = mean(expected, _weight_of_all(compared.sample, contract.weight))
    return [estimated(whole, labelled, champion.verdict.loss, question.record, limit, task)]


def _weight_of_all(rows: pd.DataFrame, weight: str | None) -> Vector | None:
    """The weights, if every row has one."""
    return weights(rows, weight) if weight is not None and rows[weight].notna().all() else None


def _slices(champion: Champion, question: Question, compared: Comparison | str, lost: Losses | str) -> list[Signal]:
    """Drift and decay of the declared slices; nothing where there are none."""
    columns, policy = slice_columns(champion, question.contract), question.policy
    if not columns:
        return []
    if isinstance(compared, str):
        return [column_drift.too_few("slices", compared), column_drift.too_few("slice_decay", compared)]
    few = f"no slice has enough rows to tell drift from chance (gate.minimum_rows {policy.minimum_rows:,})"
    drift = drift_of_slices(compared.slices, policy.slice_drift) if compared.slices else None
    return [drift or column_drift.too_few("slices", few), _slice_decay(champion, question, compared, lost, columns)]


def _slice_decay(
    champion: Champion, question: Question, compared: Comparison, lost: Losses | str, columns: Sequence[str]
) -> Signal:
    if isinstance(lost, str):
        return column_drift.too_few("slice_decay", lost)
    rate, policy, verdict = rate_beside(question.policy.false_alarm_rate), question.policy, champion.verdict
    rows, least = _labelled(champion, compared), policy.minimum_rows
    if verdict is None or not (
        decays := slice_decays(rows, columns, lost, verdict, question.promised, least, rate, question.seed)
    ):
        few = f"no slice has enough labelled rows in batch and verdict (gate.minimum_rows {least:,})"
        return column_drift.too_few("slice_decay", few)
    return decay_of_slices(decays, policy.decay, TASKS[champion.contract.task])
