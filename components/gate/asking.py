"""From a champion and a batch to the signals that may open the gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from components.blocks import block_of
from components.champion import Champion
from components.contract import Contract
from components.gate import ageing, drifting
from components.gate.decay import growth
from components.gate.pictures import pictures
from components.gate.relabelling import Comparison, compare
from components.gate.signal import Signal
from components.gate.thinning import Thinned, thinned
from components.scoring import labels, least_known, losses, mean, weights
from components.tasks import tasks

Trials = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Question:
    """What is asked: the batch, by which contract and policy, what was tried before, what is to be ignored and why."""

    batch: Mapping[str, Any]
    contract: Contract
    policy: Mapping[str, Any]
    off: frozenset[str] = frozenset()
    trials: Trials = ()
    ignored: Mapping[str, str] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        """The same batch draws the same rows and relabellings."""
        return int(self.batch["id"][:8], 16)


@dataclass(frozen=True)
class Compared:
    """The rows that were compared, of which kinds their columns are, and what was found; `seen` is not yet thinned."""

    seen: pd.DataFrame
    rows: Thinned
    kinds: Mapping[str, str]
    found: Comparison

    @property
    def scores(self) -> dict[str, float]:
        """How far each column moved."""
        return {name: column.score or 0.0 for name, column in self.found.columns.items()}

    def pictures(self, decision: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The columns that matter, by the name of their signal."""
        return pictures(self.rows.reference, self.rows.batch, self.kinds, decision)

    def document(self) -> dict[str, int]:
        """How much was compared."""
        return {
            "reference_rows": len(self.rows.reference),
            "batch_rows": len(self.rows.batch),
            "reference_blocks": self.found.reference_blocks,
            "batch_blocks": self.found.batch_blocks,
            "rows_per_block": self.rows.rows_per_block,
            "relabellings": self.found.relabellings,
        }


def compared(champion: Champion, seen: pd.DataFrame, question: Question) -> Compared:
    """Compare a sample of the batch with the champion's reference, column by column, block by block."""
    own, promise = champion.contract, question.contract
    blocks = [block_of(frame[own.time], promise.block) for frame in (champion.reference, seen)]
    rows = thinned(champion.reference, seen, blocks[0], blocks[1], question.policy["sample_rows"], question.seed)
    kinds = {**champion.features, "prediction": _kind(own.task), own.label: label_kind(own.task)}
    found = compare(
        rows.reference,
        rows.batch,
        rows.reference_blocks,
        rows.batch_blocks,
        kinds,
        promise.drift,
        question.policy["false_alarm_rate"],
        question.seed,
        own.label,
    )
    return Compared(seen, rows, kinds, found)


def _kind(task: str) -> str:
    return "category" if task == "multiclass" else "number"


def label_kind(task: str) -> str:
    """The kind of column that a label is."""
    return "number" if task == "regression" else "category"


def signals(champion: Champion | None, question: Question, facts: Compared | str) -> tuple[list[Signal], float | None]:
    """Every signal, and the champion's loss on the batch; of rows that cannot be compared the reason is given."""
    if champion is None:
        return [Signal("champion", "champion", "opens", str(facts))], None
    policy, batch, record = question.policy, question.batch, champion.record
    decay, loss = _decay(champion, question, facts)
    learned = record.get("made_from", {}).get("recipe", batch["recipe"])
    budget = (question.trials, champion.version, batch["end"], policy["max_refused"], policy["refused_days"])
    asked = [
        ageing.recipe(learned, batch["recipe"]),
        _predictions(facts, policy),
        _label(champion, question, facts),
        decay,
        ageing.age(record["to"], batch["end"], policy["max_age_days"]),
        ageing.cooldown(question.trials, batch["end"], policy["cooldown_days"]),
        ageing.budget(*budget),
        *_features(champion, question, facts),
    ]
    return [_switched_off(it) if it.signal in question.off else it for it in asked], loss


def _switched_off(signal: Signal) -> Signal:
    return replace(signal, state="off", reason=f"switched off by gate.off: {signal.reason}")


def _features(champion: Champion, question: Question, facts: Compared | str) -> list[Signal]:
    if isinstance(facts, str):
        return [drifting.too_few("features", facts)]
    columns = {name: facts.found.columns[name] for name in champion.features}
    importances = champion.record["importances"]
    return drifting.features(columns, importances, question.policy["minimum_effect"], question.ignored)


def _predictions(facts: Compared | str, policy: Mapping[str, Any]) -> Signal:
    if isinstance(facts, str):
        return drifting.too_few("predictions", facts)
    return drifting.predictions(facts.found.columns["prediction"], policy["prediction_drift"])


def _label(champion: Champion, question: Question, facts: Compared | str) -> Signal:
    if reason := _unlabelled(question, facts):
        return drifting.too_few("label", reason)
    assert isinstance(facts, Compared)
    name = champion.contract.label
    return drifting.label(facts.found.columns[name], question.policy["label_drift"], name)


def _unlabelled(question: Question, facts: Compared | str) -> str:
    """Why the labels of the batch tell nothing; empty if they do."""
    if isinstance(facts, str):
        return facts
    known, least = question.batch["labelled_rows"], question.policy["minimum_rows"]
    few = f"{known:,} rows with a label are too few to tell a change from chance (gate.minimum_rows {least:,})"
    return few if known < least else ""


def _decay(champion: Champion, question: Question, facts: Compared | str) -> tuple[Signal, float | None]:
    """The champion's loss on the labelled rows, against that of its verdict."""
    if reason := _unlabelled(question, facts):
        return drifting.too_few("decay", reason), None
    assert isinstance(facts, Compared)
    own, task = champion.contract, champion.contract.task
    known = facts.seen[facts.seen[own.label].notna()]
    least, weight = least_known(champion.record["rows"]), weights(known, own.weight)
    lost = losses(labels(known, own.label, task), champion.predicted(known), task, least)
    loss = mean(lost, weight)
    if "loss" not in champion.verdict:
        return drifting.too_few("decay", "the champion has no verdict to compare with"), loss
    before, policy = champion.verdict["loss"], question.policy
    blocks = block_of(known[own.time], question.contract.block)
    error, rate = champion.verdict.get("loss_error", 0.0), policy["false_alarm_rate"]
    found = growth(lost, blocks, weight, before, error, rate, question.seed)
    return ageing.decay(found, loss, before, policy["decay"], tasks[task]), loss
