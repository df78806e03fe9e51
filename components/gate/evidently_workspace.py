"""Evidently's own workspace, made from the snapshots that the gate logged: its dashboard shows drift over time."""

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tidegate.components.gate.page_ids import settled
from tidegate.components.gate.plain_names import plain
from tidegate.components.gate.words import SENTENCES
from tidegate.documents.decision import Decision
from tidegate.documents.formats import write_text

NAMESPACE = uuid.UUID("6f2a4c1e-7d0b-5d52-9a7e-0c1f5a3b8e21")
OWN_VERDICT = "Dataset Drift"
COUNT, DRIFT = "evidently:metric_v2:DriftedColumnsCount", "evidently:metric_v2:ValueDrift"


class BatchSnapshot(NamedTuple):
    """The snapshot of a batch as `dumped` gives it, and the moment that the batch ends."""

    batch: str
    until: str
    snapshot: str


def dumped(snapshot: Any, decision: Decision) -> str:
    """A snapshot of Evidently's as JSON that a workspace can be filled with, unlike its `json()`.

    Evidently's own verdict is the share of columns that drifted, whatever they matter: the gate's is in its place.
    """
    from evidently.legacy.utils import NumpyEncoder

    document = {**snapshot.dump_dict(), "timestamp": None}  # a run in a workspace has the moment of its batch
    verdict = {"value": SENTENCES[decision.decision], "label": plain("; ".join(decision.reasons))}
    for widget in document["widgets"]:
        for counter in widget["params"].get("counters", ()):
            counter.update(verdict if counter["value"] == OWN_VERDICT else {})
    for result in document["metric_results"].values():
        result["widget"] = None  # the snapshot holds the same ones again, for its page
    return settled(json.dumps(document, cls=NumpyEncoder))


def fill(folder: Path, name: str, snapshots: Sequence[BatchSnapshot], columns: Sequence[str]) -> str:
    """Make the workspace hold one project with a run for each batch, and nothing else of it; returns the project's id.

    Its dashboard shows the share of drifted columns, the drift of predictions, and that of each of these columns.
    Filled again it is the same: a run has an id made from its batch, and one that is there is left as it is.
    """
    from evidently.sdk.models import ProjectModel
    from evidently.ui.workspace import Workspace

    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(str(folder))
    project = uuid.uuid5(NAMESPACE, name)
    workspace.add_project(ProjectModel(id=project, name=name, description="Drift of each batch, by its last moment"))
    workspace.save_dashboard(project, _dashboard(project, columns))
    runs = {uuid.uuid5(project, f"{snapshot.batch} {snapshot.until}"): snapshot for snapshot in snapshots}
    store = folder / str(project) / "snapshots"
    store.mkdir(exist_ok=True)
    for gone in {path.stem for path in store.iterdir()} - {str(run) for run in runs}:
        (store / f"{gone}.json").unlink()
    for run, snapshot in runs.items():
        if not (store / f"{run}.json").exists():
            write_text(store / f"{run}.json", json.dumps(_run(snapshot)))
    return str(project)


def _run(snapshot: BatchSnapshot) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(snapshot.snapshot)
    named = {"name": f"batch until {snapshot.until[:10]}", "metadata": {"batch": snapshot.batch}}
    return {**document, **named, "timestamp": datetime.fromisoformat(snapshot.until).isoformat(" "), "tags": []}


def _dashboard(project: uuid.UUID, columns: Sequence[str]) -> Any:
    from evidently.sdk.models import DashboardModel, DashboardTabModel

    panels = list(_panels(project, columns))
    tab = DashboardTabModel(id=uuid.uuid5(project, "drift"), title="Drift", panels=[panel.id for panel in panels])
    return DashboardModel(tabs=[tab], panels=panels)


def _panels(project: uuid.UUID, columns: Sequence[str]) -> Iterator[Any]:
    from evidently.sdk.models import DashboardPanelPlot, PanelMetric

    metrics = [
        ("Share of drifted columns", "full", COUNT, {"value_type": "share"}),
        ("Drift of predictions", "half", DRIFT, {"column": "prediction"}),
        *((f"Drift of {column}", "half", DRIFT, {"column": column}) for column in map(plain, columns)),
    ]
    for title, size, metric, labels in metrics:
        value = PanelMetric(legend=title, metric=metric, metric_labels=labels)
        plot = {"plot_type": "line"}
        panel = uuid.uuid5(project, title)
        yield DashboardPanelPlot(id=panel, title=title, subtitle=None, size=size, values=[value], plot_params=plot)
