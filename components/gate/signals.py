"""From a champion and a batch to the signals that may open the gate."""

from dataclasses import replace

from tidegate.components.gate import age, column_drift, joint_drift
from tidegate.components.gate.comparison import Comparison, Question, rate_beside
from tidegate.components.gate.decay import growth
from tidegate.documents.decision import NoDetail, Policy, Signal
from tidegate.scoring.blocks import block_of
from tidegate.scoring.scores import labels, least_known, losses, mean, weights
from tidegate.scoring.tasks import TASKS
from tidegate.tracking.champion import Champion


def signals(
    champion: Champion | None, question: Question, compared: Comparison | str
) -> tuple[list[Signal], float | None]:
    """Every signal, and the champion's loss on the batch; of rows that cannot be compared the reason is given."""
    if champion is None:
        return [Signal("champion", "champion", "opens", str(compared), None, None, None, NoDetail())], None
    policy, batch, record = question.policy, question.batch, champion.record
    decay, loss = _decay(champion, question, compared)
    learned = record.made_from.recipe
    budget = (question.trials, champion.version, batch.end, policy.max_refused, policy.refused_days)
    measured = [
        age.recipe(learned, batch.recipe),
        _predictions(compared, policy),
        _label(champion, question, compared),
        decay,
        _together(champion, question, compared),
        age.age(record.to, batch.end, policy.max_age_days),
        age.cooldown(question.trials, batch.end, policy.cooldown_days),
        age.budget(*budget),
        *_features(champion, question, compared),
    ]
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


def _decay(champion: Champion, question: Question, compared: Comparison | str) -> tuple[Signal, float | None]:
    """The champion's loss on the labelled rows, against that of its verdict."""
    if reason := _unlabelled(question, compared):
        return column_drift.too_few("decay", reason), None
    assert isinstance(compared, Comparison)
    own, task = champion.contract, champion.contract.task
    labelled = compared.sample[compared.sample[own.label].notna()]
    least, weight = least_known(champion.record.rows), weights(labelled, own.weight)
    lost = losses(labels(labelled, own.label, task), champion.predicted(labelled), task, least)
    loss = mean(lost, weight)
    if champion.verdict is None:
        return column_drift.too_few("decay", "the champion has no verdict to compare with"), loss
    before, policy = champion.verdict.loss, question.policy
    blocks = block_of(labelled[own.time], question.contract.block)
    error = champion.verdict.loss_error
    grown = growth(lost, blocks, weight, before, error, rate_beside(policy.false_alarm_rate), question.seed)
    return age.decay(grown, loss, before, policy.decay, TASKS[task]), loss
