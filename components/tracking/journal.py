"""The journal of champions in MLflow: a registered model whose versions are entries, in the order MLflow numbers them.

Nothing is locked: an entry is appended, all are read again, and the fold says whose counted. The alias `champion` only
repeats what the journal says; whoever finds it behind sets it right.
"""

from dataclasses import replace
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from components.errors import TrackingError
from components.tracking import numbered, versions
from components.tracking.entries import Entry, History, fold, from_tags, missing, same, to_tags
from components.tracking.models import digest_tag
from components.tracking.noticing import check_champion, note_alias
from components.tracking.store import answering

alias = "champion"
purpose = "The journal of champions: who was promoted, rolled back, refused or judged, by whom and why. Only added to."
# On the registered model: how many entries its journal had, so that one cut short is noticed.
length_tag = "tidegate.journal"


class Outcome(NamedTuple):
    """What became of a promotion: its entry, whether that counted, and the champion now."""

    number: int
    counted: bool
    champion: str | None


def journal_of(name: str) -> str:
    """The registered model that is the journal of the registered model `name`."""
    return f"{name}.journal"


@answering()
def promote(client: MlflowClient, name: str, entry: Entry) -> Outcome:
    """Append the entry unless the journal has it; one that did not count is to be judged against the new champion."""
    known = same(history(client, name), entry)
    number = known.number if known else append(client, name, entry)
    after = repair(client, name)
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
def champion(client: MlflowClient, name: str) -> str | None:
    """The version that serves, None before the first promotion; TrackingError when it is gone or another one.

    An alias that was moved or deleted is named, and set right.
    """
    tail = history(client, name).tail
    if tail is None:
        return None
    check_champion(client, name, tail, journal_of(name))
    note_alias(_registered(client, name), name, tail, alias, journal_of(name))
    return repair(client, name).champion


@answering()
def history(client: MlflowClient, name: str) -> History:
    """The journal, read and folded; TrackingError when entries that were there are gone."""
    model = _registered(client, name)
    entries = [from_tags(int(found.version), found.tags) for found in numbered.listed(client, journal_of(name))]
    gone = missing((entry.number for entry in entries), _length(model))
    if gone:
        numbers = ", ".join(map(str, gone[:5]))
        cure = f"restore the store from a backup, or delete both {name} and {journal_of(name)} to begin anew"
        raise TrackingError(journal_of(name), "every entry it had", f"no version {numbers}", cure)
    return fold(entries)


def append(client: MlflowClient, name: str, entry: Entry, run_id: str | None = None) -> int:
    """Append the entry, whose number is its place; TrackingError when the version it leads to does not exist."""
    digest = versions.tags_of(client, name, entry.to).get(digest_tag, "") if entry.to else ""
    tags = to_tags(replace(entry, digest=digest))
    source = f"models:/{name}/{entry.to}" if entry.to else f"runs:/{run_id}/gate"
    return numbered.append(client, journal_of(name), source, run_id, tags, purpose)


def repair(client: MlflowClient, name: str) -> History:
    """Set the alias to the champion and look again until nothing has moved meanwhile; returns the journal."""
    now = history(client, name)
    for attempt in range(numbered.attempts):
        model = _registered(client, name)
        if _up_to_date(model, now):
            return now
        with numbered.colliding(attempt):
            if now.champion is not None:
                client.set_registered_model_alias(name, alias, now.champion)
            client.set_registered_model_tag(name, length_tag, str(now.last))
        now = history(client, name)
    raise TrackingError(f"alias {alias} of {name}", "it to follow the journal", "it moving", "stop who else moves it")


def _up_to_date(model: RegisteredModel | None, now: History) -> bool:
    if model is None:
        return now.last == 0
    return now.champion in (None, str(model.aliases.get(alias))) and _length(model) >= now.last


def _registered(client: MlflowClient, name: str) -> RegisteredModel | None:
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _length(model: RegisteredModel | None) -> int:
    if model is None:
        return 0
    return max(int(model.tags.get(length_tag, 0)), int(alias in model.aliases))
