"""A time-out for calls that have none of their own, such as name resolution or a slow server.

It counts the seconds in which this process waits for an answer: not those in which it computes, waits for a processor
or is suspended. On a busy machine an answer that comes late is not taken for none.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
TICK = 0.1  # seconds between two looks
TAKEN = 2  # of a tick the host of a virtual machine may take as much again as it leaves, of which nothing is counted
LEAST_SHARE = 0.1  # of a tick that is lost in any case: ten times the seconds end it, whatever the process does


class Patience:
    """Counts the seconds of waiting in ticks of at most TICK."""

    def __init__(self, seconds: float) -> None:
        self._rest = self._most = seconds
        self._busy = busy_seconds()

    def is_over(self) -> bool:
        """Whether the seconds are used up; to be called after each tick."""
        before, self._busy = self._busy, busy_seconds()
        spent = max(0.0, self._busy - before)  # a thread that ended takes the wait that it counted with it
        # More than a tick was spent before: Linux counts the wait for a processor when it has ended.
        spent = max(spent, min(TICK, TAKEN * spent))
        self._most -= TICK * LEAST_SHARE
        self._rest = min(self._most, self._rest - TICK + spent)
        return self._rest <= 0


def busy_seconds() -> float:
    """The seconds in which threads of this process have run, or (on Linux) wait for a processor."""
    nanoseconds = 0
    for thread in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError, ValueError):  # it has just ended
            nanoseconds += int(thread.read_text().split()[1])
    return time.process_time() + nanoseconds / 1e9


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return or raise what `work` does; TimeoutError after so many seconds of waiting, while its thread goes on."""
    done: Future[Result] = Future()

    def attempt() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # raised again in the waiting thread
            done.set_exception(error)

    # A daemon thread, so that it does not delay the end of the program.
    threading.Thread(target=attempt, daemon=True).start()
    patience = Patience(seconds)
    while not wait([done], timeout=TICK).done:
        if patience.is_over():
            raise TimeoutError(f"no answer in {seconds:g} s")
    return done.result()
