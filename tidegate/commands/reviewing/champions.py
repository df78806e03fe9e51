"""`tidegate history` and `tidegate rollback`: the journal of champions, read and written by a person."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from tidegate.commands.console import console
from tidegate.commands.loop.workspace import CONTRACT, delivery_of, trusted_keys
from tidegate.contract.contract import read_contract
from tidegate.process.context import user
from tidegate.process.errors import InputError
from tidegate.scoring.tasks import TASKS, display
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tidegate.tracking.entries import Entry


def history() -> list[dict[str, Any]]:
    """One document per champion in the order of the journal: from, to, who, when, why, and what it was made from.

    `loss`, `metrics` and `notes` are those of the verdict that it was promoted by; `data` and `commit` are None for a
    version that is gone.
    """
    from tidegate.tracking import journal, numbered
    from tidegate.tracking.store import reader

    client, name = reader(), read_contract(CONTRACT).name
    past = journal.history(client, name)
    tags = {str(version.version): version.tags for version in numbered.listed(client, name)}
    return [_row(entry, tags.get(entry.to, {}), entry is past.tail) for entry in past.counted]


def _row(entry: "Entry", tags: Mapping[str, str], serves: bool) -> dict[str, Any]:
    models = entry.verdict.models if entry.verdict else ()
    metrics = next((each.metrics for each in models if each.model == "challenger"), {})
    return {
        **entry.row(),
        "batch": entry.batch or None,
        "until": tags.get(Tag.UNTIL),
        "data": tags.get(Tag.DATA),
        "commit": tags.get(Tag.COMMIT),
        "loss": entry.verdict.loss if entry.verdict else None,
        "metrics": metrics,
        "notes": list(entry.verdict.notes) if entry.verdict else [],
        "serves": serves,
    }


def write_page(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the champions as a page, with the loss of champion and challenger on every batch that was evaluated."""
    from tidegate.commands.provenance.chart import chart
    from tidegate.pages import page
    from tidegate.tracking import approvals, batch_runs
    from tidegate.tracking.store import reader

    promise, client = read_contract(CONTRACT), reader()
    task = TASKS[promise.task]
    evaluated = [tags for tags in batch_runs.batches(client, promise.name) if f"challenger.{task.loss}" in tags]
    title = f"{promise.name}: history of champions"
    values = {"rows": rows, "waiting": approvals.waiting(client, promise.name), "name": promise.name}
    template = Path(__file__).with_name("history.html")
    page.write_page(path, template, title, chart=chart(evaluated, task), task=task, display=display, **values)


def rollback(to: str | None, reason: str) -> str:
    """Make an earlier champion serve again; returns its version.

    If `to` is None it is the latest that nobody refused: a rollback said twice goes further back, never forth again.
    On KServe a canary is removed, and it is told how long the predictor took to follow. InputError when there is none
    such, when no trusted key has signed it, or when another promotion came first.
    """
    from tidegate.tracking import journal, signatures, versions
    from tidegate.tracking.entries import Entry
    from tidegate.tracking.store import connect

    client, name = connect(), read_contract(CONTRACT).name
    past = journal.history(client, name)
    others = [entry.to for entry in past.counted if entry.to != past.champion and entry.to not in past.refused]
    target = to or (others[-1] if others else None)
    earlier = {entry.to: entry.verdict for entry in past.counted if entry.to != past.champion}
    if target not in earlier:
        names = ", ".join(earlier) or "none"
        raise InputError(
            f"rollback of {name}", f"an earlier champion ({names})", target or "none", "see `tidegate history`"
        )
    signatures.check(name, target, versions.tags_of(client, name, target), trusted_keys())
    now = datetime.now(UTC).isoformat(timespec="seconds")
    why = f"rollback: {reason}"
    entry = Entry(past.champion, target, "", user(), now, why, earlier[target], kind="rollback")
    outcome = journal.promote(client, name, entry)
    if not outcome.counted:
        raise InputError(f"rollback of {name}", f"champion {past.champion}", str(outcome.champion), "run it again")
    delivery_of(client, name).return_to(target)
    return target


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the champions for a person."""
    if not rows:
        console().print("nothing was promoted yet")
        return
    names = ("version", "since", "instead of", "loss", "who", "data", "commit", "why")
    table = Table(*names, box=None, padding=(0, 1))
    for row in rows:
        loss = "" if row["loss"] is None else f"{row['loss']:.4f}"
        version = Text(f"{row['to']} serves", style="bold") if row["serves"] else row["to"]
        made_from = [(row[key] or "gone")[:8] for key in ("data", "commit")]
        why = brief(row["why"])
        table.add_row(version, row["when"][:16], row["from"] or "none", loss, row["who"], *made_from, why)
    console().print(table)


def brief(why: str) -> str:
    """What a loop's reason says up to its verdict's first; a person's is left as it is."""
    reasons = why.split("; ")
    end = next((place for place, text in enumerate(reasons, 1) if text.startswith("accepted because ")), len(reasons))
    return "; ".join(reasons[:end]) + (", and all other checks" if end < len(reasons) else "")
