"""What people said, as the gate understands it."""

import pytest

from tidegate.components.gate.feedback import holding, ignored, spoken

ignore = {"kind": "ignore", "about": "temp", "said": "", "until": "2024-09-01", "who": "ann", "why": "a new sensor"}
wrong = {"kind": "batch", "about": "ab12", "said": "wrong", "until": "", "who": "bob", "why": "a storm"}


@pytest.mark.parametrize(("end", "columns"), [("2024-09-01T00:00:00", ["temp"]), ("2024-09-02T00:00:00", [])])
def test_a_column_is_ignored_until_its_day_has_passed(end: str, columns: list[str]) -> None:
    held = holding([ignore, wrong], end)
    assert wrong in held and list(ignored(held)) == columns
    assert all(words == "ann said to ignore it until 2024-09-01: a new sensor" for words in ignored(held).values())


@pytest.mark.parametrize(
    ("last", "told"), [("ab12", ["bob judged the decision before this one wrong: a storm"]), (None, [])]
)
def test_only_what_was_said_of_the_last_decision_is_told(last: str | None, told: list[str]) -> None:
    assert spoken([ignore, wrong], last) == told
    assert spoken([ignore, wrong], "cd34") == []
