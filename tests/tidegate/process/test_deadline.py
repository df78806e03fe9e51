"""What does not answer in time is given up; what it returns or raises in time is its answer."""

import threading

import pytest

from tidegate.process.deadline import within


def test_an_answer_in_time_is_the_answer() -> None:
    assert within(5, lambda: 3) == 3
    with pytest.raises(KeyError):
        within(5, lambda: dict[str, int]()["x"])


def test_a_late_answer_is_none() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError, match=r"^no answer in 0\.2 s$"):
        within(0.2, never.wait)
    never.set()


def test_a_time_out_of_its_own_is_told_as_it_is() -> None:
    def late() -> None:
        raise TimeoutError("the registry")

    with pytest.raises(TimeoutError, match=r"^the registry$"):
        within(5, late)
