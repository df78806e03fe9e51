"""The inventory of a copy: all that MLflow holds of one problem, as values, with the digests of its files."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

from tidegate.documents.document import Constraint, Document, Part
from tidegate.process.errors import InputError, display
from tidegate.tracking.claims import claims_of
from tidegate.tracking.journal import journal_of

Id = Annotated[str, Constraint(pattern="^[A-Za-z0-9_-]{1,100}$")]
Digest = Annotated[str, Constraint(pattern="^[0-9a-f]{64}$")]
CURE = "restore a copy that `tidegate backup` made"


@dataclass(frozen=True)
class FileCopy(Part):
    """A file: its path below the artifacts that it belongs to, and the SHA-256 of its bytes."""

    path: str
    digest: Digest


@dataclass(frozen=True)
class Measurement(Part):
    """One value of a metric; as text, because JSON has neither NaN nor infinity."""

    name: str
    value: str
    timestamp: int
    step: int


@dataclass(frozen=True)
class DatasetCopy(Part):
    """A dataset that a run read."""

    name: str
    digest: str
    source_type: str
    source: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RunCopy(Part):
    """A run with its files."""

    id: Id
    title: str
    status: str
    start_time: int
    end_time: int | None
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: tuple[Measurement, ...]
    datasets: tuple[DatasetCopy, ...]
    files: tuple[FileCopy, ...]


@dataclass(frozen=True)
class ModelCopy(Part):
    """A logged model; `place` is where its files were."""

    id: Id
    title: str
    run: Id
    place: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    files: tuple[FileCopy, ...]


@dataclass(frozen=True)
class VersionCopy(Part):
    """A version of a registered model; `run` is empty for one without a run."""

    number: int
    source: str
    run: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RegisteredCopy(Part):
    """A registered model; `last` is the highest number that a version of it has or had, as far as is known."""

    name: str
    purpose: str
    tags: Mapping[str, str]
    aliases: Mapping[str, str]
    last: int
    versions: tuple[VersionCopy, ...]


@dataclass(frozen=True)
class Inventory(Document):
    """registry.json: what MLflow held of the problem `name` when the copy was made."""

    name: str
    made: str
    tidegate: str
    runs: tuple[RunCopy, ...]
    models: tuple[ModelCopy, ...]
    registered: tuple[RegisteredCopy, ...]

    @property
    def files(self) -> Iterator[FileCopy]:
        """Every file, also of the same bytes."""
        holders: tuple[RunCopy | ModelCopy, ...] = (*self.runs, *self.models)
        for holder in holders:
            yield from holder.files

    def check(self, thing: object, name: str) -> None:
        """InputError unless it is of this problem, and names nothing outside of it."""
        if self.name != name:
            raise InputError(thing, f"a copy of {name}, as in contract.yaml", f"one of {display(self.name)}", CURE)
        if [each.name for each in self.registered] != registered_names(name):
            raise InputError(thing, f"the registered models of {name}", "others", CURE)
        for file in self.files:
            if not _is_plain(file.path):
                raise InputError(thing, "paths below a run or a model", display(file.path), CURE)


def registered_names(name: str) -> list[str]:
    """The registered models of a problem, in the order in which they are put back: the journal refers to versions."""
    return [claims_of(name), name, journal_of(name)]


def _is_plain(path: str) -> bool:
    """Whether a path leads below a folder, also once MLflow has decoded it."""
    while (decoded := unquote(path)) != path:
        path = decoded
    whole = path.isprintable() and "\\" not in path and ":" not in path
    return whole and bool(path) and path[0] != "/" and posixpath.normpath(path) == path and path.split("/")[0] != ".."
