"""`tidegate waiting`, `approve` and `reject`: a person's word on versions that were accepted."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from tidegate.commands.console import console
from tidegate.commands.loop.workspace import CONTRACT, delivery_of, trusted_keys
from tidegate.contract.contract import read_contract
from tidegate.process.context import user
from tidegate.process.errors import InputError


def waiting() -> list[dict[str, Any]]:
    """One document per version that waits: its verdict, and whether that still holds against the present champion."""
    from tidegate.tracking import approvals
    from tidegate.tracking.store import reader

    return [version.document() for version in approvals.waiting(reader(), read_contract(CONTRACT).name)]


def approve(version: str, reason: str) -> None:
    """Promote a version by way of `deploy.target`, on KServe after its trial.

    TrackingError when its verdict was not accepted or does not hold, InputError when it does not pass the trial.
    What a killed approval has left to do is done.
    """
    from tidegate.rollout.watch import UnfitError
    from tidegate.tracking import approvals, journal
    from tidegate.tracking.store import connect

    client, name, keys = connect(), read_contract(CONTRACT).name, trusted_keys()
    delivery = delivery_of(client, name)
    if delivery.target.on_kserve and journal.history(client, name).champion == version:
        delivery.complete(version)
        return
    _, verdict = approvals.approvable(client, name, version, keys)
    try:
        delivery.deliver(
            version, verdict.batch, lambda: approvals.approve(client, name, version, user(), _now(), reason, keys)
        )
    except UnfitError as unfit:
        thing, expected = f"approval of {name} version {version}", "a version that passes its trial on KServe"
        raise InputError(thing, expected, f"this: {unfit}", "it is not promoted; see the log of its pod") from None


def reject(version: str, reason: str) -> None:
    """Write into the journal why a version is not to serve."""
    from tidegate.tracking import approvals
    from tidegate.tracking.store import connect

    approvals.reject(connect(), read_contract(CONTRACT).name, version, user(), _now(), reason)


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the versions that wait for a person to read."""
    if not rows:
        console().print("none waits")
        return
    table = Table("version", "until", "evaluated against", "holds", "because", box=None, padding=(0, 1))
    for row in rows:
        verdict = row["verdict"]
        holds = "yes" if row["holds"] else "no: another champion serves"
        because = "; ".join(verdict["reasons"])
        table.add_row(row["version"], row["until"][:10], verdict["champion"] or "none", holds, because)
    console().print(table)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
