"""What people said, as the gate understands it: which columns to ignore, what they thought of its last decision."""

from collections.abc import Sequence

from tidegate.documents.decision import Feedback


def valid_at(feedback: Sequence[Feedback], end: str) -> tuple[Feedback, ...]:
    """What is valid for a batch that ends then: a column is ignored through the day that was named."""
    return tuple(entry for entry in feedback if entry.kind != "ignore" or entry.until[:10] >= end[:10])


def ignored_columns(feedback: Sequence[Feedback]) -> dict[str, str]:
    """The columns to ignore, each with the reason in words."""
    return {
        entry.about: f"{entry.who} said to ignore it until {entry.until[:10]}: {entry.why}"
        for entry in feedback
        if entry.kind == "ignore"
    }


def reasons(feedback: Sequence[Feedback], last: str | None) -> list[str]:
    """What was said of the last decision, in words; `last` is the id of its batch."""
    return [
        f"{entry.who} called the decision before this one {entry.said}: {entry.why}"
        for entry in feedback
        if entry.kind == "batch" and entry.about == last
    ]
