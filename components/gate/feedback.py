"""What people said, as the gate understands it: which columns to ignore, what they thought of its last decision."""

from collections.abc import Mapping, Sequence

Said = Mapping[str, str]


def holding(opinions: Sequence[Said], end: str) -> list[Said]:
    """Those that hold for a batch that ends then: a column is ignored through the day that was named."""
    return [it for it in opinions if it["kind"] != "ignore" or it["until"][:10] >= end[:10]]


def ignored(opinions: Sequence[Said]) -> dict[str, str]:
    """The columns to ignore, each with the reason in words."""
    return {
        it["about"]: f"{it['who']} said to ignore it until {it['until'][:10]}: {it['why']}"
        for it in opinions
        if it["kind"] == "ignore"
    }


def spoken(opinions: Sequence[Said], last: str | None) -> list[str]:
    """What was said of the last decision, in words."""
    return [
        f"{it['who']} judged the decision before this one {it['said']}: {it['why']}"
        for it in opinions
        if it["kind"] == "batch" and it["about"] == last
    ]
