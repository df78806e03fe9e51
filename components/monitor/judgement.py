"""The gate's own logic over what the champion was asked: the same signals, limits, brakes and page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from tidegate.components.gate.comparison import Comparison, Question, comparable_rows, comparison
from tidegate.components.gate.decision import decide, decision_of
from tidegate.components.gate.feedback import ignored_columns, valid_at
from tidegate.components.gate.page import write_decision
from tidegate.components.gate.policy import switched_off
from tidegate.components.gate.promised import promised
from tidegate.components.gate.signals import signals
from tidegate.components.gate.swaps import check_places
from tidegate.components.monitor import offline
from tidegate.components.monitor.asked import Asked, asked
from tidegate.components.monitor.labelled import Labelled, labelled, with_estimates
from tidegate.components.monitor.page import write_traffic
from tidegate.components.monitor.window import id_of
from tidegate.documents.batch import Batch
from tidegate.documents.decision import ChampionModel, Decision, Feedback, Policy
from tidegate.documents.traffic import Traffic
from tidegate.process.errors import InputError, UnavailableError
from tidegate.process.keys import Trusted
from tidegate.serving.recordings import hourly
from tidegate.tables.features import Window
from tidegate.tracking import windows
from tidegate.tracking.batch_runs import batches
from tidegate.tracking.champion import Champion
from tidegate.tracking.decisions import estimates, past
from tidegate.tracking.reader import Client


@dataclass(frozen=True)
class Sources:
    """Where the recorded predictions and the clean tables are; no tables: nothing is known of the events since."""

    recordings: str
    tables: str


@dataclass(frozen=True)
class Judged:
    """A decision, the champion's loss on the labelled rows, and what it was asked."""

    decision: Decision
    loss: float | None
    traffic: Traffic


def judge(
    client: Client,
    champion: Champion,
    window: Window,
    policy: Policy,
    sources: Sources,
    said: Sequence[Feedback],
    pages: Mapping[str, Path],
    keys: Trusted,
) -> Judged:
    """Decide anew about what `champion` was asked, and write the pages and traffic.json."""
    name, end = champion.contract.name, window.end.isoformat()
    recorded = hourly(sources.recordings, window.start, window.end, champion.contract.task)
    read = asked(champion, recorded, window, policy.sample_rows)
    rows, notes = _rows(champion, read, sources.tables, window)
    known = labelled(champion, rows, read.hours, read.features)
    every, valid, turned = windows.windows(client, name), valid_at(said, end), batches(client, name)
    question = Question(
        _batch(champion, window, read.rows, known.rows),
        champion.contract,
        policy,
        switched_off(policy),
        windows.trials(turned, every, end),
        ignored_columns(valid),
        promised(client, champion, champion.contract, keys),
        record=estimates(past(turned, end)),
    )
    seen = replace(champion, record=replace(champion.record, features=read.features))
    compared = _compared(seen, question, rows)
    measured, loss = signals(seen, question, compared)
    answer, because = decide(policy.mode, measured)
    size = compared.size if isinstance(compared, Comparison) else None
    identity = ChampionModel(champion.version, champion.record.digest)
    decision = decision_of(question.batch, identity, answer, because, measured, policy, size, valid)
    known = replace(known, hours=with_estimates(seen, rows, known.hours))
    traffic = _traffic(question.batch, champion, read, known, rows, notes)
    traffic.write(pages["traffic.json"])
    pictures = compared.pictures(measured) if isinstance(compared, Comparison) else {}
    earlier = windows.past(every, end)
    write_decision(pages["gate.html"], name, decision, pictures, earlier, subject="requests", evidently=False)
    write_traffic(pages["traffic.html"], traffic, decision, champion)
    return Judged(decision, loss, traffic)


def _rows(champion: Champion, read: Asked, tables: str, window: Window) -> tuple[pd.DataFrame, list[str]]:
    """The sampled rows with what is known of their events; what was left out, in words."""
    contract = champion.contract
    files = "file that is" if read.damaged == 1 else "files that are"
    notes = [f"left out: {read.damaged:,} {files} damaged, or of another form"] if read.damaged else []
    if read.dropped:
        notes.append(f"not recorded: {read.dropped:,} rows, which a server had to drop")
    if read.sample.empty:
        return pd.DataFrame(columns=[contract.label, contract.time]), notes
    events = pd.DataFrame()
    if tables:
        try:
            events = offline.events(champion, read.sample, tables, window)
        except UnavailableError:
            raise  # what is decided stays so: a retry may know more
        except InputError as error:
            notes.append(f"nothing is known of the events since: {error}")
    rows = offline.joined(champion, read.sample, events)
    learned = rows[contract.time] <= pd.Timestamp(champion.record.to)
    if learned.any():
        notes.append(f"left out: {int(learned.sum()):,} rows of events that the champion may have learned from")
    return rows[~learned], notes


def _traffic(
    batch: Batch, champion: Champion, read: Asked, known: Labelled, rows: pd.DataFrame, notes: Sequence[str]
) -> Traffic:
    compared, differing = offline.differences(rows, read.features)
    return Traffic(
        name=batch.name,
        window=batch.id,
        version=champion.version,
        start=batch.start,
        end=batch.end,
        rows=read.rows,
        versions=dict(sorted(read.versions.items())),
        hours=tuple(known.hours),
        dropped=read.dropped,
        offline_rows=compared,
        differences=differing,
        metrics=known.metrics,
        notes=tuple(notes),
    )


def _batch(champion: Champion, window: Window, rows: int, labelled: int) -> Batch:
    """The window as the batch that the gate is asked about: made by the champion's own recipe."""
    name = champion.contract.name
    return Batch(
        id=id_of(name, champion.version, window),
        name=name,
        data=f"recorded predictions of version {champion.version}",
        start=window.start.isoformat(),
        end=window.end.isoformat(),
        rows=rows,
        labelled_rows=labelled,
        history_rows=0,
        history_labelled_rows=0,
        features={name: kind for name, kind in champion.record.features.items() if kind != "words"},
        recipe=champion.record.made_from.recipe,
        files={},
    )


def _compared(champion: Champion, question: Question, rows: pd.DataFrame) -> Comparison | str:
    """The comparison with the champion's reference, or why there is none."""
    sample = comparable_rows(champion, rows)
    words = "rows" if champion.record.reference == "all rows" else "labelled rows"
    if len(sample) < (least := question.policy.minimum_rows):
        return f"{len(sample):,} {words} are too few to tell drift from chance (gate.minimum_rows {least:,})"
    compared = comparison(champion, sample, question)
    if question.policy.mode == "auto":
        check_places(champion.reference, sample, champion.features, compared.scores)
    return compared
