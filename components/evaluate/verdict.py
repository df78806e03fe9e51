"""The verdict: every check with its number, interval and limit, and the reasons in words; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from components.evaluate.comparison import Difference


@dataclass(frozen=True)
class Check:
    """One condition of acceptance."""

    name: str
    passed: bool
    reason: str
    difference: Difference
    limit: float


def against_champion(found: Difference, margin: float) -> Check:
    """Accepted when even the upper bound of the difference is within the margin."""
    interval = f"{found.mean:+.4f} [{found.lower:+.4f}, {found.upper:+.4f}]"
    if found.upper <= margin:
        words = f"{'better' if found.upper < 0 else 'no worse'} than the champion: log loss {interval}"
    elif found.lower > 0:
        words = f"worse than the champion: log loss {interval}"
    else:
        words = f"cannot tell it from the champion: log loss {interval}, and the upper bound is above {margin:g}"
    return Check("champion", found.upper <= margin, words, found, margin)


def against_baseline(name: str, found: Difference) -> Check:
    """Refused when clearly worse than a baseline; the dummy must be beaten outright."""
    passed = found.mean < 0 if name == "dummy" else found.lower <= 0
    words = (
        f"{'holds' if passed else 'fails'} against the {name} baseline: log loss {found.mean:+.4f} "
        f"[{found.lower:+.4f}, {found.upper:+.4f}]"
    )
    return Check(name, passed, words, found, 0.0)


def document(
    batch: Mapping[str, Any],
    question: Mapping[str, Any],
    champion: str | None,
    rows: int,
    blocks: int,
    checks: Sequence[Check],
    scores: Mapping[str, Mapping[str, float]],
    slices: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The verdict as a file; `question` is the challenger's digest and the policy it was judged by."""
    accepted = all(check.passed for check in checks)
    reasons = [check.reason for check in checks if check.passed == accepted]
    return {
        "schema": 1,
        "batch": batch["id"],
        **question,
        "champion": champion,
        "accepted": accepted,
        "reasons": reasons,
        "rows": rows,
        "blocks": blocks,
        "loss": scores["challenger"]["log_loss"],
        "checks": [asdict(check) for check in checks],
        "models": [{"model": name, **found} for name, found in scores.items()],
        "slices": list(slices),
    }
