"""Translates errors of storage libraries into one-line errors, and detects transient ones."""

import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from tidegate.process.errors import InputError, UnavailableError
from tidegate.process.redaction import redacted

# Messages of transient errors; the libraries have no common error class.
TRANSIENT_TEXT = re.compile(
    r"(?i)time[d -]*out|no answer|(could not|cannot) connect|connection \S* ?(refused|reset|closed|aborted|lost)"
    r"|unreachable|name or service not known|temporar|max retries|too many requests|slow ?down|service ?unavailable"
    r"|internal ?error|another push"
)
TRANSIENT_STATUS = {429, 500, 502, 503, 504}


@contextmanager
def translated_errors(thing: object, expected: str, cure: str) -> Iterator[None]:
    """Translate any error of the storage libraries into one InputError without secrets, and suppress their logs.

    A transient error becomes an UnavailableError.
    """
    with _recording() as logged:
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # DVC and the cloud clients have no common error class
            if _is_bug(error):
                raise
            # DVC logs why a file failed; the error that it raises only counts the failed files.
            errors = [error, *logged.errors[:1]]
            reasons = dict.fromkeys(map(_line, errors))
            kind = UnavailableError if any(map(is_transient, errors)) else InputError
            raise kind(thing, expected, ": ".join(reasons), cure) from None


class _Recorder(logging.Handler):
    """Collects the exceptions of logged errors."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])


@contextmanager
def _recording() -> Iterator[_Recorder]:
    """Collect logged errors instead of writing them; `lastResort` handles loggers without a handler."""
    recorder = _Recorder()
    handlers = {name: logging.getLogger(name).handlers for name in ("dvc", "dvc_data", "dvc_objects")}
    last = logging.lastResort
    logging.lastResort = recorder
    for name in handlers:
        logging.getLogger(name).handlers = [recorder]
    try:
        yield recorder
    finally:
        logging.lastResort = last
        for name, before in handlers.items():
            logging.getLogger(name).handlers = before


def is_transient(error: BaseException | None) -> bool:
    """Whether an error or one of its causes is transient, so that a retry may succeed."""
    if error is None:
        return False
    if isinstance(error, ConnectionError | TimeoutError) or _status(error) in TRANSIENT_STATUS:
        return True
    return bool(TRANSIENT_TEXT.search(str(error))) or is_transient(error.__cause__ or error.__context__)


def _status(error: BaseException) -> object:
    """The HTTP status of an error of aiohttp, Azure, GCS or botocore; None if it has none."""
    for name in ("status", "status_code", "code"):
        if isinstance(status := getattr(error, name, None), int):
            return status
    answer = getattr(error, "response", None)
    return answer.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(answer, dict) else None


def _is_bug(error: Exception) -> bool:
    """Whether the error was raised by Tidegate's own code and not by a library."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    ours = frame.f_globals["__name__"].startswith("tidegate.")
    return ours and type(error).__module__ == "builtins" and not isinstance(error, OSError)


def _line(error: BaseException) -> str:
    return redacted(str(error)) or type(error).__name__
