"""A remote answers in time, or one line says why not."""

import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from components.errors import InputError
from components.redaction import redacted

Result = TypeVar("Result")
seconds = 20.0


def within(work: Callable[[], Result], deadline: float = seconds) -> Result:
    """What `work` returns; TimeoutError after the deadline: its thread is left behind, and ends with the process."""
    done: Future[Result] = Future()

    def attempt() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=attempt, daemon=True).start()
    try:
        return done.result(timeout=deadline)
    except TimeoutError:
        if done.done():  # a time-out of its own
            raise
        raise TimeoutError(f"no answer within {deadline:.0f} s") from None


@contextmanager
def told(thing: object, expected: str, cure: str) -> Iterator[None]:
    """Whatever the libraries behind a remote raise becomes one InputError without secrets, and they log nothing."""
    with _recording() as logged:
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # DVC, the clouds' clients and what they are built on have no error in common
            if _is_bug(error):
                raise
            # DVC logs why a file failed, and raises only that some did.
            reasons = dict.fromkeys([_line(error), *logged.reasons[:1]])
            raise InputError(thing, expected, ": ".join(reasons), cure) from None


class _Recorder(logging.Handler):
    """Keeps the errors that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reasons: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self.reasons.append(_line(record.exc_info[1]))


@contextmanager
def _recording() -> Iterator[_Recorder]:
    """Errors are kept instead of written to the log; `lastResort` writes for those who have no handler."""
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


def _is_bug(error: Exception) -> bool:
    """Whether this code itself went wrong, and not what it calls."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    ours = frame.f_globals["__name__"].startswith("components.")
    return ours and type(error).__module__ == "builtins" and not isinstance(error, OSError)


def _line(error: BaseException) -> str:
    return redacted(str(error)) or type(error).__name__
