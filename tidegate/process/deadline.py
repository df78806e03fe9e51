"""A time-out for calls that have none of their own, such as name resolution or a slow server."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return or raise what `work` does; TimeoutError after so many seconds, while its thread goes on."""
    done: Future[Result] = Future()

    def attempt() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # raised again in the waiting thread
            done.set_exception(error)

    # A daemon thread, so that it does not delay the end of the program.
    threading.Thread(target=attempt, daemon=True).start()
    try:
        return done.result(timeout=seconds)
    except TimeoutError:
        if done.done():  # raised by `work` itself
            raise
        raise TimeoutError(f"no answer in {seconds:g} s") from None
