"""What people said, as the gate understands it: which columns to ignore, what they thought of its last decision."""

from collections.abc import Sequence

from tidegate.documents.decision import Feedback


def valid_at(feedback: Sequence[Feedback], end: str) -> tuple[Feedback, ...]:
    """What is valid for a batch that ends then: a column is ignored through the day that was named."""
    return tuple(each for each in feedback if each.kind != "ignore" or each.until[:10] >= end[:10])


def ignored_columns(feedback: Sequence[Feedback]) -> dict[str, str]:
    """The columns to ignore, each with the reason in words."""
    return {
        each.about: f"{each.who} said to ignore it until {each.until[:10]}: {each.why}"
        for each in feedback
        if each.kind == "ignore"
    }


def reasons(feedback: Sequence[Feedback], last: str | None) -> list[str]:
    """What was said of the last decision, in words; `last` is the id of its batch."""
    return [
        f"{each.who} called the decision before this one {each.said}: {each.why}"
        for each in feedback
        if each.kind == "batch" and each.about == last
    ]
