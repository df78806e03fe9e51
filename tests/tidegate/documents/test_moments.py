"""A moment is a time in UTC, and whatever is none is told in one line."""

from datetime import datetime

import pytest

from tidegate.documents.moments import moment
from tidegate.process.errors import InputError


@pytest.mark.parametrize(
    ("text", "found"),
    [("2013-03-01", datetime(2013, 3, 1)), ("2013-03-01 06:30", datetime(2013, 3, 1, 6, 30))],
)
def test_a_moment_is_read(text: str, found: datetime) -> None:
    assert moment("until", text, "correct it") == found


@pytest.mark.parametrize("text", ["", "soon", "2013-02-30", "2013-03-01T00:00:00+02:00", "2013-03-01T00:00:00Z"])
def test_what_is_none_is_told(text: str) -> None:
    with pytest.raises(InputError) as error:
        moment("until", text, "correct it")
    expected = "until: expected a UTC time such as 2013-03-01, without an offset"
    assert str(error.value) == f"{expected}, found {text!r}; correct it"
