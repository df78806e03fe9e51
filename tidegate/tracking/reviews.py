"""What there is to review of every batch that was decided: its run, and the files that the gate logged with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.documents.decision import Decision
from tidegate.documents.formats import read_json, replacing, write_json
from tidegate.process.redaction import address
from tidegate.tracking import artifacts
from tidegate.tracking.batch_runs import runs_about
from tidegate.tracking.records import recorded
from tidegate.tracking.store import answering
from tidegate.tracking.tags import Tag

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import Reader, Run

MARKER = "fetched.json"


@dataclass(frozen=True)
class Decided:
    """A batch with the tags and metrics of its runs; on Kubeflow they may be several."""

    batch: str
    runs: tuple[Run, ...]
    tags: Mapping[str, str]

    @property
    def place(self) -> str:
        """A name for the folder of its files: the id comes from a store, and may be anything."""
        plain = self.batch.isalnum() and self.batch.isascii() and len(self.batch) <= 64
        return self.batch if plain else sha256(self.batch.encode()).hexdigest()

    def link(self, uri: str) -> str | None:
        """Its run in the UI of the tracking server; None without a server."""
        run = self.runs[0].info
        if not uri.startswith(("http://", "https://")):
            return None
        return f"{address(uri).rstrip('/')}/#/experiments/{run.experiment_id}/runs/{run.run_id}"


@answering()
def decided(client: Reader, name: str) -> list[Decided]:
    """Every batch that was decided, by its `until`, then by start."""
    by_batch: dict[str, list[Run]] = {}
    for run in runs_about(client, name):
        by_batch.setdefault(run.data.tags[Tag.BATCH], []).append(run)
    every = [Decided(batch, tuple(runs), _tags(runs)) for batch, runs in by_batch.items()]
    return sorted((one for one in every if Tag.DECISION in one.tags), key=lambda one: one.tags.get(Tag.UNTIL, ""))


@answering()
def fetch(client: MlflowClient, one: Decided, folder: Path, wanted: Sequence[str]) -> list[str]:
    """Fetch files of a batch's last decision into `folder` unless they are there; returns those that there are."""
    presence = _presence(folder, one)
    if missing := [file for file in wanted if file not in presence]:
        place = _place(client, one)
        there = set() if place is None else _downloaded(client, one, place, missing, folder)
        presence = {**presence, **{file: file in there for file in missing}}
        write_json(folder / MARKER, {"of": _of(one), "files": presence})
    return [file for file in wanted if presence[file]]


def _tags(runs: Sequence[Run]) -> dict[str, str]:
    metrics = {key: str(value) for run in runs for key, value in run.data.metrics.items()}
    return {**metrics, **{key: value for run in runs for key, value in run.data.tags.items()}}


def _of(one: Decided) -> list[str]:
    """What tells one decision on a batch from another: it is decided anew when the policy changes."""
    return [one.tags.get(tag, "") for tag in (Tag.DECISION, Tag.REASONS, Tag.GATE)]


def _presence(folder: Path, one: Decided) -> dict[str, bool]:
    note = read_json(folder / MARKER) if (folder / MARKER).exists() else {}
    files: dict[str, bool] = note["files"] if note and note["of"] == _of(one) else {}
    return {file: there for file, there in files.items() if not there or (folder / file).exists()}


def _place(client: MlflowClient, one: Decided) -> tuple[Run, str, list[str]] | None:
    """The run, the folder and the files of the decision that the tags tell of; of several the one of that reason."""
    places = []
    for run in one.runs:
        folders = [file.path for file in client.list_artifacts(run.info.run_id, "gate") if file.is_dir]
        places += [
            (run, path, [file.path.rpartition("/")[2] for file in client.list_artifacts(run.info.run_id, path)])
            for path in folders
        ]
    same = [place for place in places if len(places) > 1 and _answer(client, one, place[1]) == _of(one)[:2]]
    return next(reversed(same or places), None)


def _answer(client: MlflowClient, one: Decided, path: str) -> list[str]:
    decision = _decision(client, one, path)
    return [decision.decision, "; ".join(decision.reasons)] if decision else []


def _decision(client: MlflowClient, one: Decided, path: str) -> Decision | None:
    """The record of the decision whose files lie in this folder."""
    run_id, key = str(one.runs[0].info.run_id), path.rpartition("/")[2]
    values = recorded(client, run_id, key)
    return Decision.of(values, f"{key} of run {run_id}") if values else None


def _downloaded(
    client: MlflowClient, one: Decided, place: tuple[Run, str, list[str]], wanted: Sequence[str], folder: Path
) -> set[str]:
    """Write those of the wanted files that there are into `folder`; returns their names."""
    run, path, names = place
    there = set()
    for file in wanted:
        if file == "decision.json":
            decision = _decision(client, one, path)
            content = json.dumps(decision.document(), indent=2).encode() if decision else None
        else:
            content = artifacts.read(client, run.info.artifact_uri, f"{path}/{file}") if file in names else None
        if content is not None:
            with replacing(folder / file) as temporary:
                temporary.write_bytes(content)
            there.add(file)
    return there
