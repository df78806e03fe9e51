"""The journal of champions in MLflow: a registered model whose versions are entries, in the order MLflow numbers them.

Nothing is locked: an entry is appended, all are read again, and the fold says whose counted. The alias `champion` only
repeats what the journal says; whoever finds it behind sets it right.
"""

from dataclasses import replace
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion, RegisteredModel

from tidegate.process.errors import TrackingError
from tidegate.tracking import direct, numbered, versions
from tidegate.tracking.entries import Entry, History, fold, from_tags, missing, same, to_tags
from tidegate.tracking.integrity import check_champion, note_alias
from tidegate.tracking.models import digest_tag
from tidegate.tracking.store import answering

alias = "champion"
purpose = "The journal of champions: who was promoted, rolled back, refused or judged, by whom and why. Only added to."
# On the registered model: how many entries its journal had, so that one cut short is noticed.
length_tag = "tidegate.journal"


class Outcome(NamedTuple):
    """What became of a promotion: its entry, whether that counted, and the champion now."""

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
    """Append the entry unless the journal has it; one that did not count is to be judged against the new champion.

    `state` is what `read` said just now, `digest` that of the version the entry leads to, where they are known.
    """
    before = state or read(client, name)
    known = same(before.history, entry)
    number = known.number if known else append(client, name, entry, digest=digest)
    after = _repaired(client, name, State(before.model, _history(client, name, before.model)))
    # The same step run twice at once appends twice: what the other one appended first is this one's as well.
    found = same(after, entry)
    counted = found is not None and found in after.counted
    return Outcome(found.number if found and counted else number, counted, after.champion)


@answering()
def reject(client: MlflowClient, name: str, entry: Entry) -> int:
    """Append a rejection unless its version is rejected already; returns its number."""
    known = history(client, name).refused.get(entry.to)
    number = known.number if known and known.kind == "rejection" else append(client, name, entry)
    repair(client, name)
    return number


@answering()
def serving(client: MlflowClient, name: str) -> Serving:
    """Who serves; TrackingError when that version is gone or another one.

    An alias that was moved or deleted is named, and set right.
    """
    state = read(client, name)
    tail = state.history.tail
    if tail is None:
        return Serving(state.history, None)
    found = check_champion(client, name, tail, journal_of(name))
    note_alias(state.model, name, tail, alias, journal_of(name))
    after = _repaired(client, name, state)
    return Serving(after, found) if after.tail == tail else serving(client, name)


@answering()
def begun(client: MlflowClient, name: str) -> Serving:
    """Who serves, as `serving`; where nobody does, the registered model is created, which tells whether it is ours."""
    found = serving(client, name)
    if found.version is None:
        numbered.ensure(client, name)
    return found


def champion(client: MlflowClient, name: str) -> str | None:
    """The version that serves, None before the first promotion; errors as `serving`."""
    return serving(client, name).history.champion


@answering()
def history(client: MlflowClient, name: str) -> History:
    """The journal, read and folded; TrackingError when entries that were there are gone."""
    return read(client, name).history


@answering()
def read(client: MlflowClient, name: str) -> State:
    """The registered model and its journal; TrackingError when entries that were there are gone."""
    model = numbered.registered(client, name)
    return State(model, _history(client, name, model))


def _history(client: MlflowClient, name: str, model: RegisteredModel | None) -> History:
    entries = [from_tags(int(found.version), found.tags) for found in numbered.listed(client, journal_of(name))]
    gone = missing((entry.number for entry in entries), _length(model))
    if gone:
        numbers = ", ".join(map(str, gone[:5]))
        cure = f"restore the store from a backup, or delete both {name} and {journal_of(name)} to begin anew"
        raise TrackingError(journal_of(name), "every entry it had", f"no version {numbers}", cure)
    return fold(entries)


def append(
    client: MlflowClient, name: str, entry: Entry, run_id: str | None = None, digest: str | None = None
) -> int:
    """Append the entry, whose number is its place; TrackingError when the version it leads to does not exist."""
    if digest is None:
        digest = versions.tags_of(client, name, entry.to).get(digest_tag, "") if entry.to else ""
    tags = to_tags(replace(entry, digest=digest))
    source = f"models:/{name}/{entry.to}" if entry.to else f"runs:/{run_id}/gate"
    return numbered.append(client, journal_of(name), source, run_id, tags, purpose)


@answering()
def repair(client: MlflowClient, name: str) -> History:
    """Set the alias to the champion and look again until nothing has moved meanwhile; returns the journal."""
    return _repaired(client, name, read(client, name))


def _repaired(client: MlflowClient, name: str, state: State) -> History:
    for attempt in range(numbered.attempts):
        if _up_to_date(*state):
            return state.history
        with numbered.colliding(attempt):
            if state.history.champion is not None:
                direct.set_alias(client, name, alias, state.history.champion)
            direct.tag_registered(client, name, length_tag, str(state.history.last))
            after = _history(client, name, state.model)
            # Whoever sets the alias looks into the journal afterwards, so the last one to do so has seen all of it.
            if after.last == state.history.last:
                return after
        state = read(client, name)
    raise TrackingError(f"alias {alias} of {name}", "it to follow the journal", "it moving", "stop who else moves it")


def _up_to_date(model: RegisteredModel | None, now: History) -> bool:
    if model is None:
        return now.last == 0
    return now.champion in (None, str(model.aliases.get(alias))) and _length(model) >= now.last


def _length(model: RegisteredModel | None) -> int:
    if model is None:
        return 0
    return max(int(model.tags.get(length_tag, 0)), int(alias in model.aliases))
