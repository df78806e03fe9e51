"""What does not answer is given up; what goes wrong is one line without secrets; bugs stay bugs."""

import logging

import pytest

from tidegate.process.deadline import within
from tidegate.process.errors import InputError, UnavailableError
from tidegate.versions.availability import is_transient, translated_errors


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

    with pytest.raises(InputError) as error, translated_errors("thing", "an answer", "correct it"):
        logging.getLogger("of.nobody").error("to stderr")
        exec("fail()", {"fail": fail, "__name__": "library"})
    assert str(error.value) == (
        "thing: expected an answer, found invalid literal for int() with base 10: 'not a number of files': "
        "Forbidden for *** at http://***@host?sig=***; correct it"
    )
    assert capsys.readouterr().err == ""
    logging.getLogger("dvc").warning("heard again")


def test_ours_is_told_as_it_is_and_a_bug_keeps_its_traceback() -> None:
    expected = pytest.raises(InputError, match=r"^x: expected a, found b; c$")
    with expected, translated_errors("thing", "an answer", "correct it"):
        raise InputError("x", "a", "b", "c")
    with pytest.raises(TypeError), translated_errors("thing", "an answer", "correct it"):
        within(5, 3)  # type: ignore[arg-type]


class AnswerError(Exception):
    """As the libraries have them: with a status, or botocore's answer."""

    def __init__(self, text: str = "", **other: object) -> None:
        super().__init__(text)
        vars(self).update(other)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (OSError("[Errno 113] Connect call failed: Host is unreachable"), True),
        (AnswerError("Cannot connect to host 127.0.0.1:1 ssl:default [Connect call failed]"), True),
        (AnswerError('Could not connect to the endpoint URL: "http://127.0.0.1:1/bucket"'), True),
        (AnswerError("Max retries exceeded with url: /info/refs"), True),
        (AnswerError("An error occurred (SlowDown) when calling the ListObjectsV2 operation"), True),
        (AnswerError("Service Unavailable", status=503), True),
        (AnswerError("too fast", status_code=429), True),
        (AnswerError(code=502), True),
        (AnswerError(response={"ResponseMetadata": {"HTTPStatusCode": 500}}), True),
        (OSError("another push came first"), True),
        (AnswerError("Not Found", status=404), False),
        (AnswerError(response={"ResponseMetadata": {"HTTPStatusCode": 403}}), False),
        (AnswerError(response=object(), code="AccessDenied"), False),
        (FileNotFoundError("/data/503.csv"), False),
        (PermissionError("Forbidden"), False),
        (OSError("no such branch"), False),
    ],
)
def test_what_may_be_there_later_is_told_from_what_a_person_must_mend(error: Exception, expected: bool) -> None:
    assert is_transient(error) == expected
    outer = RuntimeError("failed to transfer")
    outer.__cause__ = error
    assert is_transient(outer) == expected
    with pytest.raises(InputError) as caught, translated_errors("thing", "an answer", "correct it"):
        exec("raise error", {"error": error, "__name__": "library"})
    assert isinstance(caught.value, UnavailableError) == expected
