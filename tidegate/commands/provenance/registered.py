"""A registered version with all that the registry knows of it: files, record, verdict, and the journal about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.documents.formats import read_text
from tidegate.documents.record import Record
from tidegate.documents.verdict import RegisteredVerdict, Verdict
from tidegate.process.keys import Trusted
from tidegate.tracking import approvals, batch_runs, journal, numbered, versions
from tidegate.tracking.entries import History
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from tidegate.tracking.reader import Reader


@dataclass(frozen=True)
class Registered:
    """A version: `texts` are the problem's files, `heirs` are the verdicts on versions that were compared with it.

    `batches` are those after whose decision it served, each as the tags of its run.
    """

    name: str
    version: str
    tags: Mapping[str, str]
    record: Record
    texts: Mapping[str, str]
    verdict: Verdict
    history: History
    heirs: Mapping[str, RegisteredVerdict] = field(default_factory=dict)
    batches: tuple[Mapping[str, str], ...] = ()

    @property
    def commit(self) -> str:
        """The commit of the problem; it ends in `-dirty` when files differed from it."""
        return self.tags.get(Tag.COMMIT, "unknown")


def read(client: Reader, name: str, version: str, folder: Path, trusted: Trusted) -> Registered:
    """Fetch a version into `folder`, which must not be there, with its signature and its digests checked."""
    model_version = versions.get(client, name, version)
    tags = dict(model_version.tags)
    versions.fetch(client, name, version, folder, trusted, model_version)
    return Registered(
        name,
        version,
        tags,
        Record.parse(read_text(folder / "record.json"), f"record.json of {name} version {version}"),
        {file: read_text(folder / file) for file in ("contract.yaml", "features.sql", "model.yaml")},
        approvals.whole(client, name, version, trusted),
        journal.history(client, name),
        _heirs(client, name, version),
        tuple(tags for tags in batch_runs.batches(client, name) if tags.get(Tag.CHAMPION) == version),
    )


def _heirs(client: Reader, name: str, version: str) -> dict[str, RegisteredVerdict]:
    verdicts = {
        str(other.version): approvals.verdict_of(name, str(other.version), other.tags)
        for other in numbered.listed(client, name)
        if Tag.VERDICT in other.tags
    }
    return {number: verdict for number, verdict in verdicts.items() if verdict.champion == version}
