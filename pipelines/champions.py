"""`tidegate history` and `tidegate rollback`: the journal of champions, read and written by a person."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from components.context import user
from components.contract import read_contract
from components.errors import InputError
from pipelines.console import console
from pipelines.workspace import contract


def history() -> list[dict[str, Any]]:
    """One document per champion in the order of the journal: from, to, who, when, why, the loss it was judged by."""
    from components.tracking import journal
    from components.tracking.store import connect

    found = journal.history(connect(), read_contract(contract).name)
    return [
        {
            "entry": entry.number,
            "from": entry.before,
            "to": entry.to,
            "when": entry.when,
            "who": entry.who,
            "why": entry.why,
            "batch": entry.batch or None,
            "loss": entry.verdict.get("loss"),
            "serves": entry is found.tail,
        }
        for entry in found.counted
    ]


def rollback(to: str | None, reason: str) -> str:
    """Make an earlier champion serve again, the one before if `to` is None; returns its version.

    InputError when there is none such, or when another promotion came first.
    """
    from components.tracking import journal
    from components.tracking.entries import Entry
    from components.tracking.store import connect

    client, name = connect(), read_contract(contract).name
    past = journal.history(client, name)
    target = to or (past.tail.before if past.tail else None)
    earlier = {entry.to: entry.verdict for entry in past.counted if entry.to != past.champion}
    if target not in earlier:
        known = ", ".join(earlier) or "none"
        raise InputError(
            f"rollback of {name}", f"an earlier champion ({known})", target or "none", "see `tidegate history`"
        )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    why = f"rollback: {reason}"
    entry = Entry(past.champion, target, "", user(), now, why, earlier[target], kind="rollback")
    outcome = journal.promote(client, name, entry)
    if not outcome.counted:
        raise InputError(f"rollback of {name}", f"champion {past.champion}", str(outcome.champion), "run it again")
    return target


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the champions for a person."""
    table = Table("version", "since", "instead of", "log loss", "who", "why", box=None, padding=(0, 1))
    for row in rows:
        loss = "" if row["loss"] is None else f"{row['loss']:.4f}"
        version = f"[bold]{row['to']} serves[/]" if row["serves"] else row["to"]
        table.add_row(version, row["when"], row["from"] or "none", loss, row["who"], row["why"])
    console().print(table)
