"""A lineage as a picture: what made the version on the left, what it led to on the right, as one SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, LEFT, MIDDLE, RIGHT, BOX, STEP, TOP = 1080, 16, 440, 690, 40, 50, 16
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --line: #7d8b99; --text: #1b2733; --mute: #5b6a79; --mark: #0b7285 }
@media (prefers-color-scheme: dark) {
  :root { --paper: #151b23; --line: #7b8a99; --text: #e8eef4; --mute: #9fadbb; --mark: #4fc3d7 } }
svg { background: var(--paper) }
text { font: 14px system-ui, sans-serif; fill: var(--text) }
.note { font-size: 12px; fill: var(--mute) }
.box { fill: var(--paper); stroke: var(--line); stroke-width: 1.5 }
.mark { fill: var(--paper); stroke: var(--mark); stroke-width: 2.5 }
.edge { fill: none; stroke: var(--line); stroke-width: 1.5 }
"""


def draw(lineage: Mapping[str, Any]) -> str:
    """SVG of a lineage, light and dark."""
    causes, effects = _causes(lineage["made_from"]), _effects(lineage["led_to"])
    height = 2 * TOP + STEP * max(len(causes), len(effects), 2)
    middle = height / 2
    title = f"Lineage of {lineage['name']} version {lineage['version']}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        *_column(causes, LEFT, MIDDLE - 70 - LEFT, height, (MIDDLE, middle)),
        *_column(effects, RIGHT, WIDTH - 16 - RIGHT, height, (RIGHT - 60, middle), after=True),
        f'<rect class="mark" x="{MIDDLE}" y="{middle - 32}" width="{RIGHT - 60 - MIDDLE}" height="64" rx="8"/>',
        _text(MIDDLE + 12, middle - 6, f"{lineage['name']} version {lineage['version']}"),
        _text(MIDDLE + 12, middle + 14, f"model {_short(lineage['model'])}", "note"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _causes(made_from: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every cause with its digest; beyond a dozen files the rest is counted."""
    files = list(made_from["data"]["md5"].items())
    more = [(f"{len(files) - 12} more files", "see the text")] if len(files) > 12 else []
    return [
        *((path, f"md5 {digest}") for path, digest in files[:12]),
        *more,
        *((name, f"sha256 {_short(digest)}") for name, digest in made_from["problem"].items()),
        (f"commit {made_from['code']['commit'][:12]}", f"lock {_short(made_from['code']['lock'])}"),
        (
            f"rows {made_from['training']['from'][:10]} to {made_from['training']['to'][:10]}",
            f"data {made_from['data']['version']}",
        ),
    ]


def _effects(led: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What it led to, each with a note."""
    served = [
        (
            f"served from {term['since'][:16]}",
            f"until {term['until'][:16]}, then version {term['replaced_by']}" if term["until"] else "until now",
        )
        for term in led["served"]
    ]
    batches = [
        (f"served after the batch until {batch['until']}", f"batch {batch['batch']}") for batch in led["batches"]
    ]
    evaluated = [
        (f"version {challenger['version']}", f"{'accepted' if challenger['accepted'] else 'refused'} against it")
        for challenger in led["challengers"]
    ]
    return [*served, *batches, *evaluated] or [("nothing yet", "")]


def _column(
    texts: Sequence[tuple[str, str]],
    x: float,
    width: float,
    height: float,
    hub: tuple[float, float],
    after: bool = False,
) -> list[str]:
    """Boxes one below the other, centred, each with a curve to or from the hub."""
    first = (height - STEP * len(texts)) / 2
    parts = []
    for number, (text, note) in enumerate(texts):
        y = first + STEP * number + (STEP - BOX) / 2
        (ax, ay), (bx, by) = (hub, (x, y + BOX / 2)) if after else ((x + width, y + BOX / 2), hub)
        bend = (ax + bx) / 2
        parts += [
            f'<path class="edge" d="M{ax} {ay}C{bend} {ay} {bend} {by} {bx} {by}"/>',
            f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{BOX}" rx="6"/>',
            _text(x + 10, y + (17 if note else 25), _cut(text, width / 8)),
            _text(x + 10, y + 33, _cut(note, width / 7), "note") if note else "",
        ]
    return parts


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def _cut(text: str, most: float) -> str:
    return text if len(text) <= most else text[: int(most) - 1] + "…"


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:16]
