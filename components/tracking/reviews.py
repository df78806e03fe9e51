"""What there is to review of every batch that was decided: its run, and the files that the gate logged with it."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run

from components.formats import read_json, replacing, write_json
from components.tracking import decisions
from components.tracking.claims import batch_tag
from components.tracking.runs import runs_about
from components.tracking.store import answering, redacted

decision_tag, reasons_tag = "tidegate.decision", "tidegate.reasons"
marker = "fetched.json"
# The page was called otherwise in earlier decisions: the first that is there is kept under the first name.
names = {"gate.html": ("gate.html", "report.html")}


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
        return f"{redacted(uri).rstrip('/')}/#/experiments/{run.experiment_id}/runs/{run.run_id}"


@answering()
def decided(client: MlflowClient, name: str) -> list[Decided]:
    """Every batch that was decided, by its `until`, then by start."""
    found: dict[str, list[Run]] = {}
    for run in runs_about(client, name):
        found.setdefault(run.data.tags[batch_tag], []).append(run)
    every = [Decided(batch, tuple(runs), _tags(runs)) for batch, runs in found.items()]
    return sorted((it for it in every if decision_tag in it.tags), key=lambda it: it.tags.get("tidegate.until", ""))


@answering()
def fetch(client: MlflowClient, one: Decided, folder: Path, wanted: Sequence[str]) -> list[str]:
    """Fetch files of a batch's last decision into `folder` unless they are there; returns those that there are."""
    known = _known(folder, one)
    if missing := [file for file in wanted if file not in known]:
        place = _place(client, one)
        there = {} if place is None else _downloaded(client, *place, missing, folder)
        known = {**known, **{file: file in there for file in missing}}
        write_json(folder / marker, {"of": _of(one), "files": known})
    return [file for file in wanted if known[file]]


def _tags(runs: Sequence[Run]) -> dict[str, str]:
    metrics = {key: str(value) for run in runs for key, value in run.data.metrics.items()}
    return {**metrics, **{key: value for run in runs for key, value in run.data.tags.items()}}


def _of(one: Decided) -> list[str]:
    """What tells one decision on a batch from another: it is decided anew when the policy changes."""
    return [one.tags.get(tag, "") for tag in (decision_tag, reasons_tag, decisions.tag)]


def _known(folder: Path, one: Decided) -> dict[str, bool]:
    found = read_json(folder / marker) if (folder / marker).exists() else {}
    files: dict[str, bool] = found["files"] if found and found["of"] == _of(one) else {}
    return {file: there for file, there in files.items() if not there or (folder / file).exists()}


def _place(client: MlflowClient, one: Decided) -> tuple[str, list[str]] | None:
    """The run and the paths of the files of the decision that the tags tell of; of several the one of that reason."""
    places = []
    for run in one.runs:
        folders = [it.path for it in client.list_artifacts(run.info.run_id, "gate") if it.is_dir]
        places += [
            (str(run.info.run_id), [it.path for it in client.list_artifacts(run.info.run_id, path)])
            for path in folders
        ]
    told = [place for place in places if len(places) > 1 and _told(client, *place) == _of(one)[:2]]
    return next(reversed(told or places), None)


def _told(client: MlflowClient, run_id: str, paths: Sequence[str]) -> list[str]:
    path = next((path for path in paths if path.endswith("/decision.json")), None)
    if path is None:
        return []
    with tempfile.TemporaryDirectory() as scratch:
        document = json.loads(_download(client, run_id, path, scratch).read_bytes())
    return [document["decision"], "; ".join(document["reasons"])]


def _downloaded(
    client: MlflowClient, run_id: str, paths: Sequence[str], wanted: Sequence[str], folder: Path
) -> dict[str, Path]:
    found = {path.rpartition("/")[2]: path for path in paths}
    there = {}
    for file in wanted:
        path = next((found[name] for name in names.get(file, (file,)) if name in found), None)
        if path is not None:
            with tempfile.TemporaryDirectory() as scratch, replacing(folder / file) as temporary:
                shutil.move(_download(client, run_id, path, scratch), temporary)
            there[file] = folder / file
    return there


def _download(client: MlflowClient, run_id: str, path: str, scratch: str) -> Path:
    uri = f"runs:/{run_id}/{path}"
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=scratch, tracking_uri=client.tracking_uri))
