"""The command of gate."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from tidegate.components.gate.batch_rows import batch_sample
from tidegate.components.gate.comparison import Compared, Question, compared
from tidegate.components.gate.decision import decide, document, numbers
from tidegate.components.gate.evidently_workspace import dumped
from tidegate.components.gate.feedback import holding, ignored, spoken
from tidegate.components.gate.page import write_decision
from tidegate.components.gate.page_ids import settled
from tidegate.components.gate.signal import check_policy
from tidegate.components.gate.signals import signals
from tidegate.components.gate.snapshot import snapshot
from tidegate.components.gate.swaps import check_places
from tidegate.contract.contract import read_contract
from tidegate.documents.batch import Batch
from tidegate.documents.formats import write_json, write_parameter, write_text
from tidegate.process.command import Output
from tidegate.tracking import decisions, feedback, logs, records
from tidegate.tracking.champion import Champion, champion_of
from tidegate.tracking.journal import begun
from tidegate.tracking.runs import batch_run, batches, finish, mark, seen
from tidegate.tracking.store import connect
from tidegate.tracking.trials import retrainings

files = ("drift.json", "evidently.html", "gate.html")
kept_for_evidently = "snapshot.json"
Document = dict[str, Any]
Folders = tuple[Path, Path]  # the clean tables, and the table of features


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
    max_age_days: int,
    cooldown_days: int,
    max_refused: int,
    refused_days: int,
    decision: Output,
    drift: Output,
    evidently: Output,
    gate: Output,
    signals: Output,
    retrain: Output,
) -> Mapping[str, Mapping[str, Any]]:
    """Decide once per batch and policy whether to retrain; asked again, return what was decided."""
    # Every flag that is no file.
    policy = {name: value for name, value in locals().items() if not isinstance(value, Path)}
    switched_off = check_policy(mode, off)
    question = Question(Batch.read(batch), read_contract(contract), policy, switched_off)
    paths = dict(zip(files, (drift, evidently, gate), strict=True))
    answer = _answer(connect(), question, (clean, features), paths)
    write_json(decision, answer)
    write_json(signals, numbers(answer))
    write_parameter(retrain, answer["retrain"])
    print(f"{answer['decision']}: {'; '.join(answer['reasons'])}")
    return {"signals": numbers(answer)}


def _answer(client: MlflowClient, question: Question, folders: Folders, paths: dict[str, Path]) -> Document:
    """What was decided, with its pages; a new one is recorded. Keeping the champion ends the batch."""
    batch, name = question.batch, question.contract.name
    run_id = batch_run(client, name, batch.id, {"tidegate.until": batch.end[:10]})
    asked = records.question("decision", question.policy)
    answer = records.recorded(client, run_id, asked, seen(client, run_id))
    if answer is not None:
        for file, path in paths.items():
            write_text(path, logs.text(client, run_id, f"gate/{asked}/{file}"))
    else:
        answer, loss, more = _decide(client, question, folders, paths)
        logs.dataset(client, run_id, question.contract.event, batch.data, "batch")
        logs.files(client, run_id, {**paths, **more}, f"gate/{asked}")
        tags = {**_tags(batch, answer), **decisions.noted(answer, loss), **mark(client, run_id)}
        answer = records.record(client, run_id, asked, answer, tags)
    if not answer["retrain"]:
        finish(client, run_id)
    return answer


def _tags(batch: Batch, answer: Document) -> dict[str, str]:
    return {
        "tidegate.rows": str(batch.rows),
        "tidegate.decision": answer["decision"],
        "tidegate.reasons": "; ".join(answer["reasons"]),
        "tidegate.champion": answer["champion"] or "none",
    }


def _decide(
    client: MlflowClient, question: Question, folders: Folders, paths: dict[str, Path]
) -> tuple[Document, float | None, dict[str, str]]:
    """Decide anew: the decision, the champion's loss on the batch, and what is kept beside the pages it writes."""
    name, end = question.contract.name, question.batch.end
    serves, every = begun(client, name), batches(client, name)
    champion, past = champion_of(client, name, serves), decisions.past(every, end)
    said = holding(feedback.opinions(serves.history), end)
    asked = replace(question, trials=retrainings(every, end), ignored=ignored(said))
    facts = _facts(champion, asked, folders)
    found, loss = signals(champion, asked, facts)
    answer = decide(question.policy["mode"], found)
    answer[1].extend(spoken(said, past[-1]["batch"] if past else None))
    compared = facts.document() if isinstance(facts, Compared) else None
    decision = document(question.batch, _identity(champion), answer, found, question.policy, compared, said)
    more = _evidently(champion, asked, facts, paths)
    shown = facts.pictures(decision) if isinstance(facts, Compared) else {}
    write_decision(paths["gate.html"], name, decision, shown, past)
    return decision, loss, more


def _facts(champion: Champion | None, question: Question, folders: Folders) -> Compared | str:
    """What is compared, or why nothing can be."""
    batch, policy = question.batch, question.policy
    if champion is None:
        return "there is no champion yet"
    if (learned := champion.record.to) >= batch.start:
        return f"the champion has learned from rows up to {learned}, later than this batch begins"
    if batch.rows < (least := policy["minimum_rows"]):
        return f"{batch.rows:,} rows are too few to tell drift from chance (gate.minimum_rows {least:,})"
    seen = batch_sample(champion, question.contract, *folders, batch, policy["sample_rows"])
    found = compared(champion, seen, question)
    if policy["mode"] == "auto":
        check_places(champion.reference, seen, champion.features, found.scores)
    return found


def _identity(champion: Champion | None) -> dict[str, str] | None:
    return {"version": champion.version, "digest": champion.record.digest} if champion else None


def _evidently(
    champion: Champion | None, question: Question, facts: Compared | str, paths: dict[str, Path]
) -> dict[str, str]:
    """Write Evidently's findings; returns what its workspace is made from, as a file to keep."""
    if champion is None or isinstance(facts, str):
        write_json(paths["drift.json"], {"skipped": facts})
        page = f"<!doctype html><html lang=en><title>Evidently</title><p>Not compared: {facts}."
        write_text(paths["evidently.html"], page)
        return {}
    label = champion.contract.label
    rows, limits = facts.rows, {name: column.chance for name, column in facts.found.columns.items()}
    found = snapshot(rows.reference, rows.batch, facts.kinds, question.contract.drift, limits, label)
    write_json(paths["drift.json"], json.loads(found.json()))
    write_text(paths["evidently.html"], settled(found.get_html_str(as_iframe=False)))
    return {kept_for_evidently: dumped(found)}
