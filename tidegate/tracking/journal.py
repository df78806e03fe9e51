"""The journal of champions in MLflow: an append-only registered model whose versions are the entries.

There are no locks: a process appends an entry, reads all entries again, and `fold` decides which ones count, by the
numbers that MLflow assigns. The alias `champion` is a cache of the last entry; every reader repairs it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tidegate.process.errors import TrackingError
from tidegate.tracking import direct, numbered, versions
from tidegate.tracking.entries import Entry, History, fold, from_tags, missing, same, to_tags
from tidegate.tracking.integrity import check_champion, note_alias
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import ModelVersion, Reader, RegisteredModel

ALIAS = "champion"
PURPOSE = "The journal of champions: promotions, rollbacks, rejections and feedback, by whom and why. Append-only."
# On the registered model: the length of its journal, so that deleted entries are noticed.


class Outcome(NamedTuple):
    """The result of a promotion: the number of its entry, whether it counted, and the champion now."""

    number: int
    counted: bool
    champion: str | None


class State(NamedTuple):
    """The registered model, with its alias, and its journal."""

    model: RegisteredModel | None
    history: History


class Serving(NamedTuple):
    """The journal, and the version that serves by it."""

    history: History
    version: ModelVersion | None


def journal_of(name: str) -> str:
    """The registered model that is the journal of the registered model `name`."""
    return f"{name}.journal"


@answering()
def promote(
    client: MlflowClient, name: str, entry: Entry, state: State | None = None, digest: str | None = None
) -> Outcome:
    """Append the entry unless the journal has it (idempotent). One that did not count needs a verdict against the new
    champion.

    `state` is the result of a `read` just before, `digest` that of the entry's version, where they are known.
    """
    before = state or read(client, name)
    earlier = same(before.history, entry)
    number = earlier.number if earlier else append(client, name, entry, digest=digest)
    after = _repaired(client, name, State(before.model, _history(client, name, before.model)))
    # Two concurrent runs of one step append twice: the earlier of the two entries stands for both.
    standing = same(after, entry)
    counted = standing is not None and standing in after.counted
    return Outcome(standing.number if standing and counted else number, counted, after.champion)


@answering()
def reject(client: MlflowClient, name: str, entry: Entry) -> int:
    """Append a rejection unless its version is already rejected; returns the number of the entry."""
    refusal = history(client, name).refused.get(entry.to)
    number = refusal.number if refusal and refusal.kind == "rejection" else append(client, name, entry)
    repair(client, name)
    return number


@answering()
def serving(client: MlflowClient, name: str) -> Serving:
    """The journal and the version that serves; TrackingError when that version is missing or has another model.

    An alias that differs from the journal is reported and corrected.
    """
    state = read(client, name)
    tail = state.history.tail
    if tail is None:
        return Serving(state.history, None)
    version = check_champion(client, name, tail, journal_of(name))
    note_alias(state.model, name, tail, ALIAS, journal_of(name))
    after = _repaired(client, name, state)
    return Serving(after, version) if after.tail == tail else serving(client, name)


@answering()
def unrepaired(client: MlflowClient, name: str, history: History) -> Serving:
    """As `serving`, for who only reads and has read the journal: an alias that differs stays as it is."""
    tail = history.tail
    return Serving(history, check_champion(client, name, tail, journal_of(name)) if tail else None)


@answering()
def begun(client: MlflowClient, name: str) -> Serving:
    """As `serving`; without a champion, create the registered model, which fails when another user owns the name."""
    current = serving(client, name)
    if current.version is None:
        numbered.ensure(client, name)
    return current


def champion(client: MlflowClient, name: str) -> str | None:
    """The version that serves, None before the first promotion; errors as `serving`."""
    return serving(client, name).history.champion


@answering()
def history(client: Reader, name: str) -> History:
    """The journal, read and folded; TrackingError when entries are missing."""
    return read(client, name).history


@answering()
def read(client: Reader, name: str) -> State:
    """The registered model and its journal; TrackingError when entries are missing."""
    model = numbered.registered(client, name)
    return State(model, _history(client, name, model))


def _history(client: Reader, name: str, model: RegisteredModel | None) -> History:
    if model is not None and Tag.RESTORING in model.tags:
        cure = "run the same `tidegate restore` again, which goes on"
        raise TrackingError(journal_of(name), "a registry that is whole", "one whose restore has not ended", cure)
    entries = [from_tags(int(version.version), version.tags) for version in numbered.listed(client, journal_of(name))]
    gone = missing((entry.number for entry in entries), _length(model))
    if gone:
        numbers = ", ".join(map(str, gone[:5]))
        cure = f"restore the store from a backup, or delete both {name} and {journal_of(name)} to begin anew"
        raise TrackingError(journal_of(name), "every entry it had", f"no version {numbers}", cure)
    return fold(entries)


def append(client: MlflowClient, name: str, entry: Entry, run_id: str | None = None, digest: str | None = None) -> int:
    """Append the entry and return its number; TrackingError when its version does not exist."""
    if digest is None:
        digest = versions.tags_of(client, name, entry.to).get(Tag.DIGEST, "") if entry.to else ""
    tags = to_tags(replace(entry, digest=digest))
    source = f"models:/{name}/{entry.to}" if entry.to else f"runs:/{run_id}/gate"
    return numbered.append(client, journal_of(name), source, run_id, tags, PURPOSE)


@answering()
def repair(client: MlflowClient, name: str) -> History:
    """Set the alias to the champion, and repeat until the journal has not changed meanwhile; returns the journal."""
    return _repaired(client, name, read(client, name))


def _repaired(client: MlflowClient, name: str, state: State) -> History:
    for attempt in range(numbered.ATTEMPTS):
        if _up_to_date(*state):
            return state.history
        with numbered.colliding(attempt):
            if state.history.champion is not None:
                direct.set_alias(client, name, ALIAS, state.history.champion)
            direct.tag_registered(client, name, Tag.LENGTH, str(state.history.last))
            after = _history(client, name, state.model)
            # The journal is read after the alias is set, so the last process that sets it has seen every entry.
            if after.last == state.history.last:
                return after
        state = read(client, name)
    raise TrackingError(f"alias {ALIAS} of {name}", "it to follow the journal", "it moving", "stop who else moves it")


def _up_to_date(model: RegisteredModel | None, now: History) -> bool:
    if model is None:
        return now.last == 0
    return now.champion in (None, str(model.aliases.get(ALIAS))) and _length(model) >= now.last


def _length(model: RegisteredModel | None) -> int:
    if model is None:
        return 0
    return max(int(model.tags.get(Tag.LENGTH, 0)), int(ALIAS in model.aliases))
