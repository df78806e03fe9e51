"""A limit for what has none of its own: a server that says one byte a minute, resolving a name, a login program."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """What `work` returns or raises; TimeoutError after so many seconds: its thread then ends with the process."""
    done: Future[Result] = Future()

    def attempt() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # raised again by who waits
            done.set_exception(error)

    # A daemon, so that it holds up the end of the program no more than its caller.
    threading.Thread(target=attempt, daemon=True).start()
    try:
        return done.result(timeout=seconds)
    except TimeoutError:
        if done.done():  # a time-out of its own
            raise
        raise TimeoutError(f"no answer in {seconds:g} s") from None
