"""A limit for what has none of its own: resolving a name, a login program, a server that says one byte a minute."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, action: Callable[[], T]) -> T:
    """What `action` returns or raises; TimeoutError when it has done neither in time (it is left to itself)."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def act() -> None:
        try:
            outcome.append(action())
        except BaseException as error:  # raised again by who waits
            failure.append(error)

    # A daemon, so that it holds up the end of the program no more than its caller.
    worker = threading.Thread(target=act, daemon=True)
    worker.start()
    worker.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise TimeoutError(f"no answer in {seconds:g} s")
    return outcome[0]
