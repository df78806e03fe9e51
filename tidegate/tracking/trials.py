"""What was tried before a batch: when the gate was open, and what came of it."""

from collections.abc import Iterable, Mapping


def retrainings(batches: Iterable[Mapping[str, str]], before: str) -> list[dict[str, str]]:
    """Of all batches those that ended before this moment and were retrained for, the oldest first; no experiments.

    Each has its `until`, the `verdict` on the challenger (accepted, refused, or empty while there is none) and the
    `champion` that served after it.
    """
    return [
        {
            "until": tags["tidegate.until"],
            "verdict": tags.get("tidegate.verdict", ""),
            "champion": tags.get("tidegate.champion", "none"),
        }
        for tags in batches
        if tags.get("tidegate.decision") == "retrain"
        and "tidegate.experiment" not in tags
        and tags.get("tidegate.until", before) < before[:10]
    ]
