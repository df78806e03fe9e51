"""Ends a step on SIGTERM and on Ctrl-C: within seconds, nothing half-written, nothing to read.

The exit code is 128 + the signal's number.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from tidegate.process import limits

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def at_once() -> None:
    """End at the signal, for a time when nothing is written; the first process of a container would ignore it."""
    for number in _handled_signals():
        signal.signal(number, lambda number, _: os._exit(128 + number))


@contextmanager
def unwinding(discard: Callable[[], None]) -> Iterator[None]:
    """Turn the signal into an exit that unwinds the block, or, where native code holds the block, do without.

    What is not finished then, `discard` undoes: after the block, for the signal may have come while that tidied up; or
    after UNWINDING_SECONDS, where the process then ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending: list[int] = []  # the exit code, once there is one

    def unwind(number: int, _: Any) -> None:
        if not ending:  # once: a second signal would interrupt the tidying up
            ending.append(128 + number)
            logging.disable()  # SQLAlchemy tells of the cursor that the exit goes through
            sys.unraisablehook = _ignore
            threading.excepthook = _ignore
            raise SystemExit(ending[0])

    before = {number: signal.signal(number, unwind) for number in _handled_signals()}
    wakeup = signal.set_wakeup_fd(_watched(discard), warn_on_full_buffer=False)
    try:
        yield
    finally:
        # Whatever error DuckDB and others have made of the exit; taking the interpreter apart would cost seconds more.
        if ending:
            discard()
            leave(ending[0])
        os.close(signal.set_wakeup_fd(wakeup))
        for number, handler in before.items():
            signal.signal(number, handler)


def _handled_signals() -> list[signal.Signals]:
    """What a shell runs in the background ignores Ctrl-C, and goes on doing so."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def leave(code: int) -> NoReturn:
    """End the process without taking the interpreter apart.

    Threads of native libraries may still work then, and one that wants the interpreter back aborts the process.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody may read it any more
            stream.flush()
    os._exit(code)


def _ignore(_: Any) -> None:
    pass


def _watched(discard: Callable[[], None]) -> int:
    """A file descriptor; a thread ends the process some time after the signal's number was written to it.

    Python writes it in the moment of the signal, when no handler can run because the main thread is in native code.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def watch() -> None:
        while not (found := set(SIGNALS) & set(told := os.read(reader, 64))):
            if not told:
                os.close(reader)
                return
        time.sleep(limits.UNWINDING_SECONDS)
        discard()
        os._exit(128 + found.pop())

    threading.Thread(target=watch, daemon=True).start()
    return writer
