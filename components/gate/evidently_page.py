"""Evidently's findings as a page: its own program draws them, below the gate's decision."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from tidegate.components.gate.words import COLORS, SENTENCES
from tidegate.documents.decision import Decision
from tidegate.pages.page import write_page

PROGRAM = "nbextension/static/index.js"
# The findings are data, never program text. Evidently's program asks `global` for Plotly's sake.
START = """
var global = globalThis;
"""
DRAW = """
const {report, graphs} = JSON.parse(document.getElementById("findings").textContent);
window.drawDashboard(report, new Map(Object.entries(graphs)), "report");
"""


def write_evidently(path: Path, name: str, decision: Decision, snapshot: str) -> None:
    """Write the page of a snapshot as `dumped` makes it, about the problem `name`."""
    program = files("evidently").joinpath(PROGRAM).read_text(encoding="utf-8")
    write_page(
        path,
        Path(__file__).with_name("evidently.html"),
        f"{name}: Evidently",
        scripts=(START, program, DRAW),
        sentence=SENTENCES[decision.decision],
        color=COLORS[decision.decision],
        findings=_findings(snapshot),
    )


def _findings(snapshot: str) -> str:
    """What Evidently's program draws, as JSON that cannot end the element around it."""
    widgets = json.loads(snapshot, parse_constant=lambda _: None)["widgets"]  # JSON knows no NaN
    graphs = {graph["id"]: graph for widget in widgets for graph in _graphs(widget)}
    document = {"report": {"name": "Report", "widgets": widgets}, "graphs": graphs}
    return json.dumps(document, ensure_ascii=False).replace("<", "\\u003c")


def _graphs(widget: dict[str, Any]) -> list[dict[str, Any]]:
    """What a widget shows when a row is opened."""
    return [*widget.pop("additionalGraphs"), *(graph for part in widget["widgets"] for graph in _graphs(part))]
