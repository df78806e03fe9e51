"""What people said, as the gate understands it."""

import pytest

from tidegate.components.gate.feedback import ignored_columns, reasons, valid_at
from tidegate.documents.decision import Feedback

ignore = Feedback("ignore", "temp", "", "2024-09-01", "ann", "2024-06-01", "a new sensor")
wrong = Feedback("batch", "ab12", "wrong", "", "bob", "2024-06-01", "a storm")


@pytest.mark.parametrize(("end", "columns"), [("2024-09-01T00:00:00", ["temp"]), ("2024-09-02T00:00:00", [])])
def test_a_column_is_ignored_until_its_day_has_passed(end: str, columns: list[str]) -> None:
    valid = valid_at([ignore, wrong], end)
    assert wrong in valid and list(ignored_columns(valid)) == columns
    assert set(ignored_columns(valid).values()) <= {"ann said to ignore it until 2024-09-01: a new sensor"}


@pytest.mark.parametrize(
    ("last", "expected"), [("ab12", ["bob called the decision before this one wrong: a storm"]), (None, [])]
)
def test_only_what_was_said_of_the_last_decision_is_told(last: str | None, expected: list[str]) -> None:
    assert reasons([ignore, wrong], last) == expected
    assert reasons([ignore, wrong], "cd34") == []
