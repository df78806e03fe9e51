"""The command of gate."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tidegate.components.gate.announcement import announce
from tidegate.components.gate.batch_rows import batch_sample
from tidegate.components.gate.comparison import Comparison, Question, comparable_rows, comparison
from tidegate.components.gate.decision import against_limits, decide, decision_of, numbers
from tidegate.components.gate.evidently_page import write_evidently
from tidegate.components.gate.evidently_workspace import dumped
from tidegate.components.gate.feedback import ignored_columns, reasons, valid_at
from tidegate.components.gate.page import write_decision
from tidegate.components.gate.policy import switched_off
from tidegate.components.gate.promised import promised
from tidegate.components.gate.signals import signals
from tidegate.components.gate.snapshot import snapshot
from tidegate.components.gate.swaps import check_places
from tidegate.contract.contract import parse_contract
from tidegate.documents.decision import ChampionModel, Decision, Policy
from tidegate.documents.digests import check
from tidegate.documents.formats import read_text, write_json, write_parameter, write_text
from tidegate.pages.page import write_note
from tidegate.process.command import Output
from tidegate.process.context import experiment
from tidegate.process.keys import Trusted, trusted
from tidegate.rollout.delivery import Delivery, tell
from tidegate.rollout.target import Target
from tidegate.tables.recipe import read_batch
from tidegate.tracking import decisions, feedback, records, run_data, windows
from tidegate.tracking.batch_runs import batch_run, batches, finish, last_read, mark
from tidegate.tracking.champion import Champion, champion_of
from tidegate.tracking.journal import begun, history
from tidegate.tracking.reader import Client
from tidegate.tracking.store import connect
from tidegate.tracking.tags import Tag
from tidegate.tracking.trials import retrainings
from tidegate.tracking.windows import OpenWindow

FILES = ("drift.json", "evidently.html", "gate.html")
KEPT_FOR_EVIDENTLY = "snapshot.json"
BESIDE = ("sign", "target", "service")  # parameters of other steps
Folders = tuple[Path, Path]  # the clean tables, and the table of features


@dataclass(frozen=True)
class Decided:
    """A new decision, the champion's loss on the batch, and the files to log beside the pages."""

    decision: Decision
    loss: float | None
    attachments: Mapping[str, str]


def gate(
    clean: Path,
    features: Path,
    batch: Path,
    contract: Path,
    mode: str,
    off: str,
    sample_rows: int,
    minimum_rows: int,
    false_alarm_rate: float,
    minimum_effect: float,
    prediction_drift: float,
    label_drift: float,
    decay: float,
    together: float,
    slice_drift: float,
    estimate: float,
    max_age_days: int,
    cooldown_days: int,
    max_refused: int,
    refused_days: int,
    sign: str,
    target: str,
    service: str,
    decision: Output,
    drift: Output,
    evidently: Output,
    gate: Output,
    signals: Output,
    retrain: Output,
) -> Mapping[str, Mapping[str, Any]]:
    """Decide once per batch and policy whether to retrain; asked again, return what was decided.

    Where the gate stays shut, no `deploy` follows: a canary that a killed run has left at the `target` goes here.
    """
    # Every flag that is no file; whose signatures are trusted, and where versions go, decides nothing.
    parameters = {
        name: value for name, value in locals().items() if name not in BESIDE and not isinstance(value, Path)
    }
    question = _question(batch, contract, Policy(**parameters))
    check(question.batch.digests, clean=clean, features=features)
    paths = dict(zip(FILES, (drift, evidently, gate), strict=True))
    client, keys = connect(), trusted(sign)
    result = _decision(client, question, (clean, features), paths, keys)
    if not result.retrain and not experiment():
        Delivery(client, question.contract.name, keys, Target(target, service), tell).tidy()
    result.write(decision)
    write_json(signals, {**numbers(result), "against_limits": against_limits(result)})
    write_parameter(retrain, result.retrain)
    print(f"{result.decision}: {'; '.join(result.reasons)}")
    return {"signals": numbers(result)}


def _question(batch: Path, contract: Path, policy: Policy) -> Question:
    """What is asked about a batch, but for what MLflow knows of earlier ones."""
    text = read_text(contract)
    return Question(
        read_batch(batch, {"contract": text}), parse_contract(text, str(contract)), policy, switched_off(policy)
    )


def _decision(
    client: Client, question: Question, folders: Folders, paths: Mapping[str, Path], keys: Trusted
) -> Decision:
    """What was decided, with its pages; a new decision is recorded. Keeping the champion ends the batch."""
    batch, name = question.batch, question.contract.name
    run_id = batch_run(client, name, batch.id, {Tag.UNTIL: batch.end[:10]})
    question = replace(question, requests=_open_window(client, question))
    key = records.question("decision", {**question.policy.document(), **_asked(question)})
    values = records.recorded(client, run_id, key, last_read(client, run_id))
    if values is not None:
        for file, path in paths.items():
            write_text(path, run_data.page(client, run_id, f"gate/{key}/{file}"))
    else:
        new = _decide(client, question, folders, paths, keys)
        check(batch.digests, clean=folders[0], features=folders[1])  # what is recorded stays so for ever
        run_data.dataset(client, run_id, question.contract.event, batch.data, "batch")
        run_data.files(client, run_id, {**paths, **new.attachments}, f"gate/{key}")
        tags = {**_tags(question, new.decision), **decisions.noted(new.decision, new.loss), **mark(client, run_id)}
        values = records.record(client, run_id, key, new.decision.document(), tags)
    decision = Decision.of(values, f"{key} of run {run_id}")
    if not experiment():
        announce(client, run_id, name, decision, key)
    if not decision.retrain:
        finish(client, run_id)
    return decision


def _open_window(client: Client, question: Question) -> OpenWindow | None:
    """The window of requests by which the gate is open; None where a person, or an experiment, asks otherwise."""
    name, policy = question.contract.name, question.policy
    if policy.mode != "auto" or "requests" in question.off or experiment():
        return None
    if not (judged := windows.windows(client, name)):
        return None
    serves = history(client, name).champion
    return windows.open_window(judged, batches(client, name), question.batch, serves) if serves else None


def _asked(question: Question) -> dict[str, str]:
    return {"requests": question.requests.id} if question.requests else {}


def _tags(question: Question, decision: Decision) -> dict[str, str]:
    return {
        Tag.ROWS: str(question.batch.rows),
        Tag.DECISION: decision.decision,
        Tag.REASONS: "; ".join(decision.reasons),
        Tag.CHAMPION: decision.champion or "none",
        **({Tag.REQUESTS: question.requests.id} if question.requests else {}),
    }


def _decide(client: Client, question: Question, folders: Folders, paths: Mapping[str, Path], keys: Trusted) -> Decided:
    """Decide anew, and write the pages; ModelError unless one of the `keys`, if any, has signed the champion."""
    name, end, policy = question.contract.name, question.batch.end, question.policy
    serves, every = begun(client, name), batches(client, name)
    champion, past = champion_of(client, name, serves, keys), decisions.past(every, end)
    valid = valid_at(feedback.current(serves.history), end)
    trials, ignored = retrainings(every, end), ignored_columns(valid)
    question = replace(
        question,
        trials=trials,
        ignored=ignored,
        promised=promised(client, champion, question.contract, keys),
        record=decisions.estimates(past),
    )
    compared = _compared(champion, question, folders)
    measured, loss = signals(champion, question, compared)
    answer, because = decide(policy.mode, measured)
    because += reasons(valid, past[-1].batch if past else None)
    size = compared.size if isinstance(compared, Comparison) else None
    decision = decision_of(question.batch, _identity(champion), answer, because, measured, policy, size, valid)
    attachments = _evidently(champion, question, compared, decision, paths)
    pictures = compared.pictures(measured) if isinstance(compared, Comparison) else {}
    write_decision(paths["gate.html"], name, decision, pictures, past)
    return Decided(decision, loss, attachments)


def _compared(champion: Champion | None, question: Question, folders: Folders) -> Comparison | str:
    """The comparison of the batch with the champion's reference, or why there is none."""
    batch, policy = question.batch, question.policy
    if champion is None:
        return "there is no champion yet"
    if (learned := champion.record.to) >= batch.start:
        return f"the champion has learned from rows up to {learned}, later than this batch begins"
    every = champion.record.reference == "all rows"
    rows, words = (batch.rows, "rows") if every else (batch.labelled_rows, "labelled rows")
    if rows < (least := policy.minimum_rows):
        return f"{rows:,} {words} are too few to tell drift from chance (gate.minimum_rows {least:,})"
    sample = comparable_rows(champion, batch_sample(champion, question.contract, *folders, batch, policy.sample_rows))
    compared = comparison(champion, sample, question)
    if policy.mode == "auto":
        check_places(champion.reference, sample, champion.features, compared.scores)
    return compared


def _identity(champion: Champion | None) -> ChampionModel | None:
    return ChampionModel(champion.version, champion.record.digest) if champion else None


def _evidently(
    champion: Champion | None,
    question: Question,
    compared: Comparison | str,
    decision: Decision,
    paths: Mapping[str, Path],
) -> dict[str, str]:
    """Write Evidently's findings; returns what its workspace is made from, as a file to log."""
    if champion is None or isinstance(compared, str):
        write_json(paths["drift.json"], {"skipped": compared})
        write_note(paths["evidently.html"], "Evidently has compared nothing", str(compared))
        return {}
    label, rows = champion.contract.label, compared.rows
    limits = {name: column.critical for name, column in compared.tested.columns.items()}
    report = snapshot(rows.reference, rows.batch, compared.kinds, question.contract.drift, limits, label)
    write_json(paths["drift.json"], json.loads(report.json()))
    dump = dumped(report, decision)
    write_evidently(paths["evidently.html"], question.contract.name, decision, dump)
    return {KEPT_FOR_EVIDENTLY: dump}
