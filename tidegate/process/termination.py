"""Ends a step on SIGTERM and SIGINT (Ctrl-C) within seconds, without partial outputs and without a traceback.

The exit code is 128 + the signal's number.
"""

import atexit
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
    """Exit at the signal without unwinding, while nothing is written; as process 1 it would be ignored by default."""
    for number in handled_signals():
        signal.signal(number, lambda number, _: os._exit(128 + number))


@contextmanager
def unwinding(discard: Callable[[], None]) -> Iterator[None]:
    """Turn the signal into a SystemExit in the block; if native code blocks it, exit after UNWINDING_SECONDS.

    Either way `discard` removes unfinished outputs before the process ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending: list[int] = []  # the exit code, once a signal has come

    def unwind(number: int, _: Any) -> None:
        if not ending:  # only once: a second signal would interrupt the clean-up
            ending.append(128 + number)
            if "logging" in sys.modules:
                sys.modules["logging"].disable()  # SQLAlchemy logs errors of cursors during the exit
            sys.unraisablehook = _ignore
            threading.excepthook = _ignore
            raise SystemExit(ending[0])

    before = {number: signal.signal(number, unwind) for number in handled_signals()}
    wakeup = signal.set_wakeup_fd(_watched(discard), warn_on_full_buffer=False)
    try:
        yield
    finally:
        # Also if DuckDB has replaced the SystemExit; a regular interpreter shutdown would take seconds.
        if ending:
            discard()
            _leave(ending[0])
        os.close(signal.set_wakeup_fd(wakeup))
        for number, handler in before.items():
            signal.signal(number, handler)


def handled_signals() -> list[signal.Signals]:
    """The signals to handle: not those that are ignored, such as SIGINT of a background process of a shell."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def leave_after(main: Callable[[], None]) -> NoReturn:
    """Run the main function of a program and end the process without finalizing the interpreter.

    Threads of native libraries may still run then, and one that acquires the interpreter lock aborts the process.
    """
    code = 0
    try:
        main()
    except SystemExit as ending:
        if isinstance(ending.code, str):  # a sentence, which the interpreter prints
            raise
        code = int(ending.code or 0)
    atexit._run_exitfuncs()  # libraries remove temporary files and stop their workers there
    _leave(code)


def _leave(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody may read it any more
            stream.flush()
    os._exit(code)


def _ignore(_: Any) -> None:
    pass


def _watched(discard: Callable[[], None]) -> int:
    """A wakeup file descriptor; a thread exits UNWINDING_SECONDS after a signal number was written to it.

    Python writes the number at once, while handlers wait until the main thread leaves native code.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def watch() -> None:
        while not (caught := set(SIGNALS) & set(numbers := os.read(reader, 64))):
            if not numbers:
                os.close(reader)
                return
        time.sleep(limits.UNWINDING_SECONDS)
        discard()
        os._exit(128 + caught.pop())

    threading.Thread(target=watch, daemon=True).start()
    return writer
