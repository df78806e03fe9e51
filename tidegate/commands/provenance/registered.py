"""A registered version with all that the registry knows of it: files, record, verdict, and the journal about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from tidegate.documents.formats import read_text
from tidegate.documents.record import Record
from tidegate.tracking import approvals, journal, numbered, runs, versions
from tidegate.tracking.entries import History


@dataclass(frozen=True)
class Registered:
    """A version: `texts` are the problem's files, `heirs` the versions that were judged against it.

    `batches` are those after whose decision it served, each as the tags of its run.
    """

    name: str
    version: str
    tags: Mapping[str, str]
    record: Record
    texts: Mapping[str, str]
    verdict: Mapping[str, Any]
    history: History
    heirs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    batches: tuple[Mapping[str, str], ...] = ()

    @property
    def commit(self) -> str:
        """The commit of the problem; it ends in `-dirty` when files differed from it."""
        return self.tags.get("tidegate.commit", "unknown")


def read(client: MlflowClient, name: str, version: str, folder: Path) -> Registered:
    """Fetch a version into `folder`, which must not be there, with its digests checked."""
    tags = versions.tags_of(client, name, version)
    versions.fetch(client, name, version, folder)
    return Registered(
        name,
        version,
        tags,
        Record.parse(read_text(folder / "record.json"), f"record.json of {name} version {version}"),
        {file: read_text(folder / file) for file in ("contract.yaml", "features.sql", "model.yaml")},
        approvals.whole(client, name, version),
        journal.history(client, name),
        _heirs(client, name, version),
        tuple(tags for tags in runs.batches(client, name) if tags.get("tidegate.champion") == version),
    )


def _heirs(client: MlflowClient, name: str, version: str) -> dict[str, dict[str, Any]]:
    judged = {
        str(found.version): approvals.told(name, str(found.version), found.tags)
        for found in numbered.listed(client, name)
        if approvals.verdict_tag in found.tags
    }
    return {number: verdict for number, verdict in judged.items() if verdict["champion"] == version}
