"""The short table that ends a run: the batch, the gate's decision, who won, who serves, where to look."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from tidegate.commands.console import console
from tidegate.commands.loop import workspace
from tidegate.documents.batch import Batch
from tidegate.documents.decision import Decision
from tidegate.documents.release import Release
from tidegate.documents.verdict import ModelMetrics, Verdict
from tidegate.scoring.tasks import LOWER_IS_BETTER, display

# The gate's own page first: it says what the others are about.
PAGES = ("gate/gate.html", "evaluate/report.html", "gate/evidently.html", "validate/report.html")


def summary(seconds: Mapping[str, float], champion: str | None) -> dict[str, Any]:
    """Everything the table shows, as a document."""
    batch, verdict = workspace.written(Batch, "featurize"), workspace.written(Verdict, "evaluate")
    release, decision = workspace.written(Release, "deploy"), workspace.written(Decision, "gate")
    return {
        "batch": batch.document() if batch else None,
        "decision": decision.document() if decision else None,
        "verdict": verdict.document() if verdict else None,
        "release": release.document() if release else None,
        "champion": champion,
        "seconds": {stage: round(value, 1) for stage, value in seconds.items()},
        "look": [*_pages(), "MLFLOW_DISABLE_TELEMETRY=true mlflow ui --backend-store-uri sqlite:///mlflow.db"],
    }


def show(document: Mapping[str, Any]) -> None:
    """Print it for a person."""
    screen = console()
    batch, decision = document["batch"], document["decision"]
    verdict = Verdict.of(document["verdict"], "verdict") if document["verdict"] else None
    release = Release.of(document["release"], "release") if document["release"] else None
    table = Table.grid(padding=(0, 2))
    table.add_row(
        "batch",
        f"{batch['start'][:10]} to {batch['end'][:10]}: {batch['rows']:,} rows, "
        f"{batch['labelled_rows']:,} labelled ({batch['id']})",
    )
    table.add_row("gate", f"{decision['decision']}: {_lines(decision['reasons'])}")
    if verdict:
        table.add_row("verdict", f"{verdict.word}: {_lines([*verdict.reasons, *verdict.notes])}")
    table.add_row("champion", _champion(document["champion"], release))
    if document["seconds"]:
        table.add_row("seconds", ", ".join(f"{stage} {value:.1f}" for stage, value in document["seconds"].items()))
    else:
        table.add_row("seconds", "nothing to do")
    screen.print()
    screen.print(table)
    if verdict:
        screen.print(_scores(verdict))
    screen.print("\nlook at")
    for path in document["look"]:
        screen.print(f"  {path}", soft_wrap=True)


def _scores(verdict: Verdict) -> Table:
    names = list(verdict.models[0].metrics)
    table = Table("on the same rows", *(name.replace("_", " ") for name in names), box=None, padding=(0, 2))
    for name in names:
        table.columns[names.index(name) + 1].justify = "right"
    for each in verdict.models:
        table.add_row(each.model, *(_marked(name, each, verdict.models) for name in names))
    return table


def _marked(name: str, model: ModelMetrics, models: Sequence[ModelMetrics]) -> Text:
    best = (min if name in LOWER_IS_BETTER else max)(other.metrics[name] for other in models)
    value = model.metrics[name]
    return Text(display(name, value), style="bold" if value == best else "")


def _champion(version: str | None, release: Release | None) -> str:
    """Who serves, and why it is that one."""
    if version is None and not (release and release.waiting):
        return "none: nothing was accepted yet"
    if release is None:
        return f"version {version}: the gate is shut, it stays"
    if release.experiment:
        return f"version {version}: an experiment is never promoted"
    if release.waiting:
        return f"version {version or 'none'}: version {release.version} waits for `tidegate approve` or `reject`"
    if not release.promoted:
        accepted = release.verdict.accepted
        return f"version {version}: {release.reason if accepted else 'the challenger was refused'}, it stays"
    if release.version == version:
        return f"version {version}: promoted by this batch"
    return f"version {version}: version {release.version}, which this batch promoted, has been replaced"


def _lines(reasons: Sequence[str]) -> str:
    return "\n".join(reasons)


def _pages() -> list[str]:
    return [str(path) for page in PAGES if (path := workspace.ARTIFACTS / page).exists() and _shows(path)]


def _shows(path: Path) -> bool:
    """Whether a page shows something; a skipped step leaves a page that says so."""
    return workspace.written(Verdict, "evaluate") is not None if path.parent.name == "evaluate" else True
