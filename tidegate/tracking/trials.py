"""Earlier retrainings: when the gate opened, and the verdict on the challenger."""

from collections.abc import Iterable, Mapping

from tidegate.tracking.tags import Tag


def retrainings(batches: Iterable[Mapping[str, str]], before: str) -> list[dict[str, str]]:
    """The batches before this moment for which a model was retrained, the oldest first, without experiments.

    Each has its `until`, the `verdict` on the challenger (accepted, refused, or empty without one) and the `champion`
    afterwards.
    """
    return [
        {
            "until": tags[Tag.UNTIL],
            "verdict": tags.get(Tag.VERDICT, ""),
            "champion": tags.get(Tag.CHAMPION, "none"),
        }
        for tags in batches
        if tags.get(Tag.DECISION) == "retrain"
        and Tag.EXPERIMENT not in tags
        and tags.get(Tag.UNTIL, before) < before[:10]
    ]
