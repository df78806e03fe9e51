"""What the gate notes of each decision with the batch's run, so that a later page can show where a batch lies."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tidegate.tracking.claims import batch_tag

tag = "tidegate.gate"
until_tag, experiment_tag = "tidegate.until", "tidegate.experiment"
most_signals = 20
longest = 7500  # letters; a server may hold no more than 8,000 in a tag
Note = dict[str, Any]


def noted(decision: Mapping[str, Any], loss: float | None) -> dict[str, str]:
    """A decision in short as tags of its batch's run: at most 20 signals with their limits, the champion's loss."""
    signals = {it["name"]: [it["value"], it["limit"]] for it in decision["signals"] if it["value"] is not None}
    kept = list(signals.items())[:most_signals]
    while len(text := json.dumps({"loss": loss, "signals": dict(kept)}, ensure_ascii=False)) > longest:
        kept.pop()
    return {tag: text}


def past(batches: Iterable[Mapping[str, str]], before_until: str) -> list[Note]:
    """Of all batches those that were decided before this moment, the oldest first; no experiments.

    Those from before decisions were noted have neither loss nor signals.
    """
    earlier = [it for it in batches if it.get(until_tag, "9") < before_until[:10]]
    return [_note(it) for it in earlier if "tidegate.decision" in it and experiment_tag not in it]


def _note(tags: Mapping[str, str]) -> Note:
    champion = tags.get("tidegate.champion", "none")
    return {
        "until": tags[until_tag],
        "batch": tags[batch_tag],
        "decision": tags["tidegate.decision"],
        "champion": None if champion == "none" else champion,
        "rows": int(tags.get("tidegate.rows", 0)),
        "loss": None,
        "signals": {},
        **json.loads(tags.get(tag, "{}")),
    }
