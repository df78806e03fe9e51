"""Draws the loop as SVG for the README, from the compiled pipeline."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

from tidegate.pipelines.graph import Task, tasks

WIDTH, HEIGHT, MARGIN, GAP = 1000, 256, 12, 36
BOX, UPPER, LOWER, FRAME, PAD = 62, 14, 168, 126, 18

THEMES = {
    "light": {
        "paper": "#fff",
        "line": "#7d8b99",
        "text": "#1b2733",
        "mute": "#5b6a79",
        "water": "#0b7285",
        "wash": "#eaf6f8",
    },
    "dark": {
        "paper": "#151b23",
        "line": "#7b8a99",
        "text": "#e8eef4",
        "mute": "#9fadbb",
        "water": "#4fc3d7",
        "wash": "#0f2329",
    },
}

STYLE = """
text {{ font-family: -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; text-anchor: middle }}
.name {{ font-size: 17px; font-weight: 600; fill: {text} }}
.port {{ font-size: 13px; fill: {mute} }}
.note {{ font-size: 14px; font-weight: 600; fill: {water} }}
.start {{ text-anchor: start }}
.end {{ text-anchor: end }}
.box {{ fill: {paper}; stroke: {line}; stroke-width: 1.5 }}
.gate .box {{ fill: {water}; stroke: {water} }}
.gate .name, .gate .port {{ fill: {paper} }}
.frame {{ fill: {wash}; stroke: {water}; stroke-width: 1.5 }}
.edge {{ fill: none; stroke: {line}; stroke-width: 2 }}
.back {{ fill: none; stroke: {water}; stroke-width: 2; stroke-dasharray: 6 5 }}
.sluice {{ fill: {paper}; stroke: {water}; stroke-width: 2; stroke-linejoin: round }}
.panel, .stop {{ fill: {water}; stop-color: {water} }}
.wave {{ fill: none; stroke: url(#tide); stroke-width: 2.5; stroke-linecap: round }}
.line {{ fill: {line} }}
.water {{ fill: {water} }}
"""


class Place(NamedTuple):
    """A box: its left and upper edge and its width; the height of every box is BOX."""

    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        """Its horizontal centre."""
        return self.x + self.width / 2


def draw(ir: Mapping[str, Any], theme: str) -> str:
    """The SVG in one theme: each step with its first output; the steps behind the gate are framed below it."""
    wired = tasks(ir)
    places = _places(wired)
    gate, last = _ends(wired)
    inside = [task for task in wired if task.condition]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title">',
        f'<title id="title">{escape(_sentence(wired))}</title>',
        f"<style>{STYLE.format(**THEMES[theme])}</style>",
        _frame(places[inside[0].name], places[last.name], inside[0].group or ""),
        *(_edge(places[a.name], places[b.name]) for a, b in pairwise(wired)),
        _champion(places[last.name], places[gate.name]),
        _sluice(places[gate.name].middle),
        _tide(places[gate.name].x - PAD),
        *(_box(places[task.name], task, task is gate) for task in wired),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _ends(wired: Sequence[Task]) -> tuple[Task, Task]:
    last = wired[-1]
    gates = {task.condition.task for task in wired if task.condition}
    return next(task for task in wired if task.name in gates), last


def _sentence(wired: Sequence[Task]) -> str:
    before = ", ".join(task.name for task in wired if not task.condition)
    after = ", ".join(task.name for task in wired if task.condition)
    return f"{before}; only if the gate is open: {after}; the champion goes back to the gate"


def _places(wired: Sequence[Task]) -> dict[str, Place]:
    upper = [task.name for task in wired if not task.condition]
    lower = [task.name for task in wired if task.condition]
    columns = len(upper) + len(lower) - 1
    width = (WIDTH - 2 * (MARGIN + PAD) + PAD - GAP * (columns - 1)) / columns
    edges = [MARGIN + column * (width + GAP) for column in range(columns)]
    return {name: Place(edges[i], UPPER, width) for i, name in enumerate(upper)} | {
        name: Place(edges[len(upper) - 1 + i], LOWER, width) for i, name in enumerate(lower)
    }


def _box(place: Place, task: Task, is_gate: bool) -> str:
    return (
        f'<g class="{"gate" if is_gate else "step"}">'
        f'<rect class="box" x="{place.x:.1f}" y="{place.y}" width="{place.width:.1f}" height="{BOX}" rx="10"/>'
        f'<text class="name" x="{place.middle:.1f}" y="{place.y + 28}">{escape(task.name)}</text>'
        f'<text class="port" x="{place.middle:.1f}" y="{place.y + 47}">{escape(next(iter(task.outputs)))}</text>'
        "</g>"
    )


def _edge(start: Place, end: Place) -> str:
    if start.y != end.y:
        x, y = end.middle, end.y
        return f'<path class="edge" d="M{x:.1f} {start.y + BOX}V{y - 8}"/>' + _head(x, y - 2, "down", "line")
    x, y = start.x + start.width, start.y + BOX / 2
    return f'<path class="edge" d="M{x:.1f} {y}H{end.x - 8:.1f}"/>' + _head(end.x - 2, y, "right", "line")


def _head(x: float, y: float, direction: str, color: str) -> str:
    turn = {"right": 0, "down": 90, "left": 180}[direction]
    return f'<path class="{color}" transform="translate({x:.1f} {y}) rotate({turn})" d="M0 0L-10 -5V5Z"/>'


def _frame(first: Place, last: Place, label: str) -> str:
    x, width, height = first.x - PAD, last.x + last.width - first.x + 2 * PAD, LOWER - FRAME + BOX + PAD
    return (
        f'<rect class="frame" x="{x:.1f}" y="{FRAME}" width="{width:.1f}" height="{height}" rx="14"/>'
        f'<text class="note start" x="{first.middle + 34:.1f}" y="{FRAME + 25}">only if {escape(label)} is true</text>'
    )


def _champion(last: Place, gate: Place) -> str:
    y, end = UPPER + BOX / 2, gate.x + gate.width
    return (
        f'<path class="back" d="M{last.middle:.1f} {last.y}V{y + 14}q0 -14 -14 -14H{end + 10:.1f}"/>'
        + _head(end + 2, y, "left", "water")
        + f'<text class="note" x="{(end + last.middle) / 2:.1f}" y="{y - 10}">champion</text>'
    )


def _sluice(x: float) -> str:
    """A sluice gate (two posts, a beam, a raised panel), and a note on what happens when the gate is shut."""
    return (
        f'<path class="sluice" d="M{x - 19:.1f} {FRAME + 16}v-40h38v40h-7v-33h-24v33z"/>'
        f'<rect class="panel" x="{x - 12:.1f}" y="{FRAME - 17}" width="24" height="13"/>'
        f'<text class="port end" x="{x - 32:.1f}" y="{FRAME - 12}">shut: nothing is trained, the champion stays</text>'
    )


def _tide(right: float) -> str:
    """Waves that fade in towards the frame, which begins at `right`."""
    fade = '<stop offset="0" class="stop" stop-opacity="0"/><stop offset="1" class="stop" stop-opacity="0.7"/>'
    count = int((right - MARGIN) // 40)
    left = right - 12 - count * 40
    waves = "".join(
        f'<path class="wave" d="M{left + shift:.1f} {LOWER + row * 22}{"q10 -9 20 0t20 0" * count}"/>'
        for row, shift in enumerate((0, -14, -4))
    )
    span = f'gradientUnits="userSpaceOnUse" x1="{MARGIN}" x2="{right:.1f}"'
    return f'<linearGradient id="tide" {span}>{fade}</linearGradient>{waves}'
