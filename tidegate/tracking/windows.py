"""One MLflow run per window of requests that was judged, in the problem's experiment; it belongs to no batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.documents.batch import Batch
from tidegate.documents.formats import write_text
from tidegate.tracking import run_data
from tidegate.tracking.batch_runs import ensure_experiment, searched
from tidegate.tracking.claims import claim, first
from tidegate.tracking.decisions import PastDecision, decided
from tidegate.tracking.store import answering, quoted
from tidegate.tracking.tags import Tag
from tidegate.tracking.trials import retrainings

PAGES = ("traffic.html", "gate.html")


@dataclass(frozen=True)
class OpenWindow:
    """A window of requests that opened the gate: its id, the moment of its end, and the reasons in words."""

    id: str
    end: str
    reasons: str


def open_window(
    windows: Sequence[Mapping[str, str]], batches: Sequence[Mapping[str, str]], batch: Batch, champion: str
) -> OpenWindow | None:
    """The window by which the gate is open for a batch; None without one.

    It is the newest that could be judged of what this champion was asked, if it opened the gate, shares time with the
    batch, and no batch was decided by it before. A batch that was decided by a window keeps it; a batch that is not
    the newest gets none.
    """
    counted = [tags for tags in batches if Tag.EXPERIMENT not in tags]
    used = {tags[Tag.REQUESTS]: tags[Tag.BATCH] for tags in counted if Tag.REQUESTS in tags}
    if own := next((tags for tags in windows if used.get(tags[Tag.WINDOW]) == batch.id), None):
        return _open(own)
    if any(tags.get(Tag.UNTIL, "") > batch.end[:10] for tags in counted):
        return None
    judged = [tags for tags in windows if tags.get(Tag.CHAMPION) == champion and tags[Tag.DECISION] != "cannot tell"]
    if not judged or judged[-1][Tag.DECISION] != "retrain" or judged[-1][Tag.WINDOW] in used:
        return None
    start, end = judged[-1].get(Tag.START, judged[-1][Tag.END]), judged[-1][Tag.END]
    return _open(judged[-1]) if start < batch.end and batch.start < end else None


def _open(tags: Mapping[str, str]) -> OpenWindow:
    return OpenWindow(tags[Tag.WINDOW], tags[Tag.END], tags[Tag.REASONS])


if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import Reader, Run


@answering()
def window_run(client: MlflowClient, name: str, window: str, tags: Mapping[str, str]) -> str:
    """The id of the run of a window, created if there is none; concurrent callers get the same run."""
    if known := known_run(client, name, window):
        return known
    experiment = ensure_experiment(client, name)

    def there() -> list[str]:
        return [str(run.info.run_id) for run in _runs(client, experiment, window)]

    labels = {**tags, Tag.WINDOW: window, Tag.NAME: name}
    run = client.create_run(experiment, tags=labels, run_name=f"requests until {tags[Tag.END][:16]}")
    own = str(run.info.run_id)
    agreed = claim(client, name, window, own, there)
    if agreed != own:
        client.delete_run(own)
    return agreed


@answering()
def known_run(client: MlflowClient, name: str, window: str) -> str | None:
    """The id of the run of a window; None where there is none."""

    def there() -> list[str]:
        return [str(run.info.run_id) for run in runs(client, name) if run.data.tags[Tag.WINDOW] == window]

    return (first(client, name, window, there) or known[0]) if (known := there()) else None


@answering()
def runs(client: Reader, name: str) -> list[Run]:
    """The runs of the windows of the problem `name`, the oldest first."""
    experiment = client.get_experiment_by_name(name)
    return _runs(client, experiment.experiment_id) if experiment else []


@answering()
def windows(client: Reader, name: str) -> list[dict[str, str]]:
    """The tags of every window of the problem `name` that was judged, with the id of its `run`, by its end."""
    judged = [
        {**run.data.tags, "run": str(run.info.run_id)} for run in runs(client, name) if Tag.DECISION in run.data.tags
    ]
    return sorted(judged, key=lambda tags: tags.get(Tag.END, ""))


@answering()
def fetch(client: MlflowClient, window: Mapping[str, str], folder: Path) -> bool:
    """Write the pages of a window's last decision into `folder` unless they are there; whether there are any."""
    if not (folder / PAGES[0]).exists():
        decided = [file.path for file in client.list_artifacts(window["run"], "monitor") if file.is_dir]
        for name in reversed(PAGES) if decided else ():  # the first one tells that all are there
            if (text := run_data.text_if_any(client, window["run"], f"{decided[-1]}/{name}")) is not None:
                write_text(folder / name, text)
    return (folder / PAGES[0]).exists()


def past(windows: Iterable[Mapping[str, str]], before: str) -> list[PastDecision]:
    """The decisions on windows that ended before this moment, the oldest first."""
    earlier = [tags for tags in windows if tags.get(Tag.END, before) < before]
    return [decided({**tags, Tag.BATCH: tags[Tag.WINDOW], Tag.UNTIL: tags[Tag.END]}) for tags in earlier]


def trials(
    batches: Iterable[Mapping[str, str]], windows: Iterable[Mapping[str, str]], end: str
) -> list[dict[str, str]]:
    """What retraining there was before this moment: on batches until that day, and what earlier windows started.

    A window has no verdict: that on the challenger stands with the batch that it was trained for.
    """
    day = (datetime.fromisoformat(end) + timedelta(days=1)).isoformat()
    started = [
        {"until": tags[Tag.END], "verdict": "", "champion": tags.get(Tag.CHAMPION, "none")}
        for tags in windows
        if Tag.STARTED in tags and tags.get(Tag.END, end) < end
    ]
    return sorted([*retrainings(batches, day), *started], key=lambda trial: trial["until"])


@answering()
def started(client: MlflowClient, run_id: str, what: str) -> None:
    """Note what a window has started: until then an open window holds no later one shut."""
    run_data.values(client, run_id, tags={Tag.STARTED: what})


def _runs(client: Reader, experiment: str, window: str = "") -> list[Run]:
    query = f"tags.`{Tag.WINDOW}` = {quoted(window)}" if window else f"tags.`{Tag.WINDOW}` != ''"
    return searched(client, [experiment], query)
