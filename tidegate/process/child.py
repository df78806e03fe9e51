"""A program that runs on behalf of this one: what is meant for this one, a signal, is handed on to it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from tidegate.process import limits

TIMED_OUT = 124  # as of timeout(1)
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def python(module: str, *words: str) -> list[str]:
    """A module as a program of this interpreter; nothing in the working directory takes its place."""
    return [sys.executable, "-P", "-m", module, *words]


class Child:
    """One program after another; `ending` once a signal has come, after which none should be started."""

    def __init__(self) -> None:
        self.ending = False
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, command: Sequence[str], timeout: float | None = None) -> int:
        """The exit code of the command, 128 + the signal that ended it, or `timed_out` where it had to be ended."""
        # A group of its own: what it has started can go with it.
        self._process = process = subprocess.Popen(command, process_group=0)
        if self.ending:  # the signal came before there was anybody to tell
            process.terminate()
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            return TIMED_OUT
        return code if code >= 0 else 128 - code

    def pause(self, seconds: float) -> None:
        """Wait so long, or until a signal comes."""
        until = time.monotonic() + seconds
        while not self.ending and (rest := until - time.monotonic()) > 0:
            time.sleep(min(rest, 0.1))

    def hear(self, number: int, _: Any) -> None:
        """Hand a signal on."""
        self.ending = True
        if self._process is not None:
            self._process.send_signal(number)


@contextmanager
def child() -> Iterator[Child]:
    """A child that hears the signals of this process as long as the block runs."""
    found = Child()
    before: dict[signal.Signals, Callable[..., Any] | int | None]
    before = {number: signal.signal(number, found.hear) for number in SIGNALS}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words before the first `--`, and those after it."""
    cut = list(words).index("--") if "--" in words else len(words)
    return list(words[:cut]), list(words[cut + 1 :])


def tell(text: str) -> None:
    """A line for the log."""
    print(text, file=sys.stderr, flush=True)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Gently at first; then it and all that it has started."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(limits.GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
