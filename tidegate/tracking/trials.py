"""Earlier retrainings: when the gate opened, and the verdict on the challenger."""

from collections.abc import Iterable, Mapping


def retrainings(batches: Iterable[Mapping[str, str]], before: str) -> list[dict[str, str]]:
    """The batches before this moment for which a model was retrained, the oldest first, without experiments.

    Each has its `until`, the `verdict` on the challenger (accepted, refused, or empty without one) and the `champion`
    afterwards.
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
