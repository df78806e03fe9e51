"""Ends a step on SIGTERM: with exit code 143 within seconds, nothing half-written, nothing to read."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

code = 128 + signal.SIGTERM
patience = 2.0


def at_once() -> None:
    """End at the signal, for a time when nothing is written; the first process of a container would ignore it."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(code))


@contextmanager
def unwinding(discard: Callable[[], None]) -> Iterator[None]:
    """Turn the signal into an exit that unwinds the block, or, where native code holds the block, do without.

    After `patience` seconds `discard` removes what is not finished, and the process ends where it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending = threading.Event()

    def unwind(*_: Any) -> None:
        if not ending.is_set():  # once: a second signal would interrupt the tidying up
            ending.set()
            sys.unraisablehook = _say_nothing
            threading.excepthook = _say_nothing
            raise SystemExit(code)

    before = signal.signal(signal.SIGTERM, unwind)
    wakeup = signal.set_wakeup_fd(_watched(discard), warn_on_full_buffer=False)
    try:
        yield
    except BaseException:
        # DuckDB and others turn the exit into an error of their own.
        if ending.is_set():
            raise SystemExit(code) from None
        raise
    finally:
        if not ending.is_set():
            os.close(signal.set_wakeup_fd(wakeup))
            signal.signal(signal.SIGTERM, before)
    if ending.is_set():
        raise SystemExit(code)


def _say_nothing(_: Any) -> None:
    pass


def _watched(discard: Callable[[], None]) -> int:
    """A file descriptor; a thread ends the process some time after the signal's number was written to it.

    Python writes it in the moment of the signal, when no handler can run because the main thread is in native code.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def watch() -> None:
        while signal.SIGTERM not in (told := os.read(reader, 64)):
            if not told:
                os.close(reader)
                return
        time.sleep(patience)
        discard()
        os._exit(code)

    threading.Thread(target=watch, daemon=True).start()
    return writer
