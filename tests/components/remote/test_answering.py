"""What does not answer is given up; what goes wrong is one line without secrets; bugs stay bugs."""

import logging
import time

import pytest

from components.errors import InputError
from components.remote.answering import told, within


def test_an_answer_in_time_is_the_answer() -> None:
    assert within(lambda: 3, 5) == 3
    with pytest.raises(KeyError):
        within(lambda: dict[str, int]()["x"], 5)


def test_a_late_answer_is_none() -> None:
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"^no answer within 0 s$"):
        within(lambda: time.sleep(3), 0.2)
    assert time.monotonic() - start < 3


def test_an_error_of_a_library_is_told_with_the_reason_that_it_logged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the/secret+key")

    def fail() -> None:
        try:
            raise PermissionError("Forbidden for the/secret+key\nat http://u:pw@host?sig=abc")
        except PermissionError:
            logging.getLogger("dvc.data").exception("failed to transfer")
        int("not a number of files")

    with pytest.raises(InputError) as error, told("thing", "an answer", "mend it"):
        logging.getLogger("of.nobody").error("to stderr")
        exec("fail()", {"fail": fail, "__name__": "library"})
    assert str(error.value) == (
        "thing: expected an answer, found invalid literal for int() with base 10: 'not a number of files': "
        "Forbidden for *** at http://***@host?sig=***; mend it"
    )
    assert capsys.readouterr().err == ""
    logging.getLogger("dvc").warning("heard again")


def test_ours_is_told_as_it_is_and_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(InputError, match=r"^x: expected a, found b; c$"), told("thing", "an answer", "mend it"):
        raise InputError("x", "a", "b", "c")
    with pytest.raises(TypeError), told("thing", "an answer", "mend it"):
        within(3)  # type: ignore[arg-type]
