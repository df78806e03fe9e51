"""Registered models of a copy, put back with the numbers that their versions had."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tidegate.process.errors import TrackingError
from tidegate.tracking import direct, numbered
from tidegate.tracking.backups.inventory import RegisteredCopy, VersionCopy
from tidegate.tracking.backups.restored_runs import Place
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_GONE = 10_000  # numbers of versions that are gone; each is a version that is created and deleted
CURE = "stop whoever writes to it, delete what is there of the problem, and restore again"
Ids = Mapping[str, str]  # the ids of runs, by those that they had
Places = Mapping[str, Place]
GONE = "gone"  # the tag's value on a version that is created only to use up its number


def registered(client: MlflowClient, copy: RegisteredCopy, name: str, runs: Ids, places: Places) -> None:
    """The versions of a registered model, then its tags and aliases; `name` is the problem's."""
    numbers = {each.number for each in copy.versions}
    if copy.last - len(numbers) > MOST_GONE:
        raise TrackingError(copy.name, f"at most {MOST_GONE:,} versions that are gone", f"{copy.last:,}", CURE)
    there = _tidied(client, copy)
    models = {str(each.version) for each in numbered.listed(client, name)}
    for each in sorted(copy.versions, key=lambda each: each.number):
        if each.number not in there:
            _create(client, copy, each, _source(each, runs, places, models), runs)
    if copy.last not in there | numbers | {0}:
        _create(client, copy, VersionCopy(copy.last, "", "", {Tag.RESTORING: GONE}), _nowhere(runs), runs)
    if numbers or copy.tags:
        for key, value in copy.tags.items():
            direct.tag_registered(client, copy.name, key, value)
        for alias, version in copy.aliases.items():
            direct.set_alias(client, copy.name, alias, version)


def _tidied(client: MlflowClient, copy: RegisteredCopy) -> set[int]:
    """The numbers that are there, without the versions that were created to use up a number, but the last."""
    wanted = {each.number: each.tags for each in copy.versions}
    there = {int(each.version): each.tags for each in numbered.listed(client, copy.name)}
    used_up = {number for number in there.keys() - wanted.keys() if there[number] in wanted.values()}
    for number in used_up:
        client.delete_model_version(copy.name, str(number))
    return there.keys() - used_up


def drop_gone(client: MlflowClient, copy: RegisteredCopy) -> None:
    """Delete the version that used up the last number of one that is gone."""
    for each in numbered.listed(client, copy.name, {Tag.RESTORING: GONE}):
        client.delete_model_version(copy.name, str(each.version))


def _create(client: MlflowClient, copy: RegisteredCopy, version: VersionCopy, source: Place, runs: Ids) -> None:
    """A version of this number: MLflow numbers them, so the numbers of those that are gone are used up before.

    TrackingError where MLflow is beyond it.
    """
    run_id, purpose = _run_of(source, version, runs), copy.purpose or None
    while True:
        created = numbered.version(client, copy.name, source.uri, run_id, version.tags, source.model_id, purpose)
        number = int(created.version)
        if number == version.number:
            return
        client.delete_model_version(copy.name, str(number))
        if number > version.number:
            raise TrackingError(copy.name, f"the number {version.number} for the next version", str(number), CURE)


def _run_of(source: Place, version: VersionCopy, runs: Ids) -> str | None:
    """The run of a version, as a server takes it: of a source in a run that one, of another version that version's."""
    if match := re.match(r"runs:/([^/]+)/", source.uri):
        return match[1]
    return None if source.uri.startswith("models:/") else runs.get(version.run)


def _source(version: VersionCopy, runs: Ids, places: Places, models: set[str]) -> Place:
    """Where a version comes from, with the new ids; MLflow takes no version that is gone."""
    if match := re.fullmatch(r"runs:/([^/]+)/(.*)", version.source):
        return Place(f"runs:/{runs.get(match[1], match[1])}/{match[2]}", None)
    match = re.fullmatch(r"models:/.+/(\d+)", version.source)
    if match and match[1] not in models:
        return _nowhere(runs)
    return places.get(version.source) or Place(version.source, None)


def _nowhere(runs: Ids) -> Place:
    return Place(f"runs:/{next(iter(runs.values()), 'none')}/gone", None)


@answering()
def check(client: MlflowClient, copies: Sequence[RegisteredCopy]) -> None:
    """TrackingError unless every version has the tags that it had: what is signed and what the journal says."""
    for copy in copies:
        there = {int(each.version): dict(each.tags) for each in numbered.listed(client, copy.name)}
        wanted = {each.number: dict(each.tags) for each in copy.versions}
        for number in sorted(there.keys() | wanted.keys()):
            if there.get(number) != wanted.get(number):
                found = "other tags" if number in there else "none"
                raise TrackingError(f"{copy.name} version {number}", "the version of the copy", found, CURE)
