"""`tidegate feedback`: a person's word on the gate's decisions, which the next gate reads."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rich.table import Table

from tidegate.commands.console import console
from tidegate.commands.loop.workspace import CONTRACT, trusted_keys
from tidegate.contract.contract import read_contract
from tidegate.documents.decision import Feedback, Word
from tidegate.documents.formats import read_json
from tidegate.process.context import user
from tidegate.process.errors import InputError, display

MOST_FEATURES = 20


def listed() -> list[dict[str, Any]]:
    """The feedback that is valid, the oldest first, as documents."""
    from tidegate.tracking.feedback import current
    from tidegate.tracking.journal import history
    from tidegate.tracking.store import reader

    return [feedback.document() for feedback in current(history(reader(), read_contract(CONTRACT).name))]


def record(batch: str | None, said: str | None, ignore: str | None, until: str | None, reason: str | None) -> str:
    """Write feedback into the journal; returns what was written, in words."""
    _check(batch, said, ignore, until, reason)
    from tidegate.tracking.feedback import add, decided_batch
    from tidegate.tracking.store import connect

    client, name = connect(), read_contract(CONTRACT).name
    spoken = {"who": user(), "when": datetime.now(UTC).isoformat(timespec="seconds"), "why": str(reason)}
    if ignore is None:
        about = decided_batch(client, name, str(batch))
        word: Word = "right" if said == "right" else "wrong"
        feedback = Feedback(kind="batch", about=about, said=word, until="", **spoken)
    else:
        _check_column(client, name, ignore)
        feedback = Feedback(kind="ignore", about=ignore, said="", until=str(until), **spoken)
    again = "" if add(client, name, feedback) else ", as was said before"
    return f"{_sentence(feedback)}{again}"


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print the feedback for a person."""
    if not rows:
        console().print("no feedback yet")
        return
    table = Table("when", "who", "said", "because", box=None, padding=(0, 1))
    for feedback in (Feedback(**row) for row in rows):
        table.add_row(feedback.when[:16], feedback.who, _sentence(feedback), feedback.why)
    console().print(table)


def _check(batch: str | None, said: str | None, ignore: str | None, until: str | None, reason: str | None) -> None:
    usage = "BATCH right|wrong --reason TEXT, or --ignore COLUMN --until DATE --reason TEXT"
    of_batch, of_column = (batch, said), (ignore, until)
    whole = any(None not in these and others == (None, None) for these, others in _both(of_batch, of_column))
    if not whole or not (reason or "").strip():
        raise InputError("tidegate feedback", usage, "something else", "see `tidegate feedback --help`")
    if until is not None:
        _check_date(until)


def _both(one: Any, other: Any) -> list[tuple[Any, Any]]:
    return [(one, other), (other, one)]


def _check_column(client: Any, name: str, column: str) -> None:
    """InputError unless the champion has learned from this column."""
    from tidegate.tracking import journal, versions

    champion = journal.champion(client, name)
    if champion is None:
        raise InputError(f"--ignore {column}", "a champion that has features", "none", "run `tidegate run` first")
    with tempfile.TemporaryDirectory() as scratch:
        folder = versions.fetch(client, name, champion, Path(scratch) / "champion", trusted_keys())
        features = list(read_json(folder / "record.json")["features"])
    if column not in features:
        close = [feature for feature in features if feature.startswith(column)] or get_close_matches(
            column, features, 1
        )
        cure = f"did you mean {close[0]}?" if close else f"choose one of {', '.join(features[:MOST_FEATURES])}"
        raise InputError("--ignore", "a feature of the champion", display(column), cure)


def _check_date(text: str) -> None:
    try:
        correct = date.fromisoformat(text).isoformat() == text
    except ValueError:
        correct = False
    if not correct:
        raise InputError("--until", "a date such as 2013-06-01", display(text), "correct it")


def _sentence(feedback: Feedback) -> str:
    if feedback.kind == "ignore":
        return f"drift of {feedback.about} is ignored until {feedback.until}"
    return f"the decision on batch {feedback.about[:12]} was {feedback.said}"
