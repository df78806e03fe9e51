"""The release record: what became of a challenger; pure."""

from collections.abc import Mapping
from typing import Any

from tidegate.documents.batch import Batch


def refusal(
    decision: Mapping[str, Any], verdict: Mapping[str, Any], experiment: str | None, approval: str = "automatic"
) -> str | None:
    """Why a challenger is not registered, None when it may be."""
    if experiment:
        return f"experiment {experiment}: judged, never promoted"
    if not verdict["accepted"]:
        return "; ".join(verdict["reasons"])
    if verdict["batch"] != decision["batch"]:
        return f"the verdict is of batch {verdict['batch']}, the decision of batch {decision['batch']}"
    if approval == "never":
        return "deploy.approval is never: judged, not promoted"
    return None


def why(decision: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    """One sentence for the journal: why it was retrained and why it was accepted."""
    return f"retrained because {'; '.join(decision['reasons'])}; accepted because {'; '.join(verdict['reasons'])}"


def document(
    batch: Batch,
    verdict: Mapping[str, Any],
    version: str | None,
    champion: str | None,
    reason: str,
    experiment: str | None = None,
    waiting: bool = False,
) -> dict[str, Any]:
    """The release as a file: the version that the challenger got, if any, and the champion after it.

    `waiting` is a version that a person has still to approve or to reject.
    """
    return {
        "schema": 1,
        "batch": batch.id,
        "name": batch.name,
        "until": batch.end[:10],
        "promoted": version is not None and version == champion,
        "waiting": waiting,
        "version": version,
        "champion": champion,
        "experiment": experiment,
        "reason": reason,
        "verdict": dict(verdict),
    }
