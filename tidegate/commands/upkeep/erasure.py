"""`tidegate erase`: one event goes from the recordings; who else still holds it is listed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.commands.loop.workspace import ARTIFACTS, CONTRACT, PARAMS
from tidegate.contract.contract import Contract, quoted, read_contract
from tidegate.documents.formats import read_text
from tidegate.documents.moments import moment
from tidegate.documents.parameters import read_parameters
from tidegate.documents.record import Record
from tidegate.process.errors import InputError
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tidegate.serving.recorded_events import Recorded

CLEAN = ARTIFACTS / "validate" / "clean"
Identity = dict[str, Any]


@dataclass(frozen=True)
class Holder:
    """A version of the model or of the data that still holds the event, or may, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class Erasure:
    """An event by its identity, the recorded files that hold it, and who else does."""

    identity: Identity
    place: str
    recorded: Sequence[Recorded]
    holders: Sequence[Holder]


def erasure(key: Sequence[str]) -> Erasure:
    """What there is of an event; `key` are words NAME=VALUE, one for each column of its identity."""
    contract = read_contract(CONTRACT)
    identity = identity_of(contract, key)
    place = read_parameters(PARAMS)["serve"]["record"]
    return Erasure(identity, place, _recorded(place, identity), list(_holders(contract, identity)))


def erase(plan: Erasure) -> None:
    """Remove the event from the recordings."""
    from tidegate.serving import recorded_events

    if plan.recorded:
        recorded_events.erase(plan.place, list(plan.recorded), plan.identity)


def identity_of(contract: Contract, key: Sequence[str]) -> Identity:
    """The values of the columns that identify an event; InputError unless each is there once, with its type."""
    words = dict(word.partition("=")[::2] for word in key)
    if len(words) != len(key) or words.keys() != {*contract.identity}:
        expected = " ".join(f"--key {name}=VALUE" for name in contract.identity)
        raise InputError("--key", expected, " ".join(key) or "none", "name each column of the event's key once")
    columns = contract.tables[contract.event].columns
    return {name: _value(name, words[name], columns[name].type) for name in contract.identity}


def _value(name: str, text: str, kind: str) -> Any:
    if kind == "timestamp":
        return moment(f"--key {name}", text, "write it as the clean tables do")
    readers = {"integer": int, "number": float, "boolean": {"true": True, "false": False}.__getitem__}
    try:
        return readers.get(kind, str)(text)  # type: ignore[operator]
    except (ValueError, KeyError):
        raise InputError(f"--key {name}", f"a value of type {kind}", repr(text), "correct it") from None


def _recorded(place: str, identity: Identity) -> list[Recorded]:
    if not place:
        return []
    from tidegate.serving import recorded_events

    return recorded_events.holding(place, identity)


def _holders(contract: Contract, identity: Identity) -> Iterator[Holder]:
    """The clean tables of the last run by their rows, the versions by the time of the event."""
    if rows := _clean_rows(contract, identity):
        yield Holder("data of the last run", f"{rows} row{'s' if rows > 1 else ''} of {contract.event} in {CLEAN}")
    yield from _versions(contract, identity[contract.time])


def _clean_rows(contract: Contract, identity: Identity) -> int:
    file = CLEAN / f"{contract.event}.parquet"
    if not file.exists():
        return 0
    import duckdb

    where = " AND ".join(f"{quoted(name)} = ?" for name in identity)
    with duckdb.connect() as connection:
        query = f"SELECT count(*) FROM read_parquet(?) WHERE {where}"
        row = connection.execute(query, [str(file), *identity.values()]).fetchone()
    return int(row[0]) if row else 0


def _versions(contract: Contract, time: datetime) -> Iterator[Holder]:
    """Of each registered version: its data, if that reaches so far; the model, if it learned from that time."""
    from tidegate.process.keys import trusted
    from tidegate.tracking import numbered, versions
    from tidegate.tracking.store import connect

    client, name = connect(), contract.name
    keys = trusted(read_parameters(PARAMS)["deploy"]["sign"])
    data: dict[str, str] = {}
    for registered in numbered.listed(client, name):
        version, until = str(registered.version), registered.tags.get(Tag.UNTIL, "")
        if until > time.isoformat():
            data.setdefault(registered.tags.get(Tag.DATA, "unknown"), version)
        with tempfile.TemporaryDirectory() as scratch:
            folder = versions.fetch(client, name, version, Path(scratch, "version"), keys, registered)
            yield from _model(contract, version, folder, time)
    for md5, version in data.items():
        yield Holder(f"data {md5}", f"the batch of version {version} ends after the event")


def _model(contract: Contract, version: str, folder: Path, time: datetime) -> Iterator[Holder]:
    import pandas as pd

    record = Record.parse(read_text(folder / "record.json"), f"record.json of version {version}")
    if record.from_ <= time.isoformat() <= record.to:
        moments = pd.read_parquet(folder / "reference.parquet", columns=[contract.time])[contract.time]
        sampled = int((moments == time).sum())
        learned = f"it learned from {record.from_[:10]} to {record.to[:10]}"
        rows = f"{sampled} row{'' if sampled == 1 else 's'}"
        sample = f"; its reference sample has {rows} of that moment" if sampled else ""
        yield Holder(f"version {version}", f"{learned}{sample}")
