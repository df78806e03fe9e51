"""Runs child processes and forwards signals to them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from tidegate.process import limits

TIMED_OUT = 124  # the exit code of timeout(1)
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Child:
    """Runs commands one after the other; after a signal `ending` is true, and no further command should start."""

    def __init__(self) -> None:
        self.ending = False
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, command: Sequence[str], timeout: float | None = None) -> int:
        """The exit code of the command, 128 + the signal that ended it, or TIMED_OUT after `timeout` seconds."""
        # In its own process group, so that its children can be killed with it.
        self._process = process = subprocess.Popen(command, process_group=0)
        if self.ending:  # the signal came before the process was known
            process.terminate()
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            return TIMED_OUT
        return code if code >= 0 else 128 - code

    def pause(self, seconds: float) -> None:
        """Wait for so many seconds, or until a signal comes."""
        until = time.monotonic() + seconds
        while not self.ending and (rest := until - time.monotonic()) > 0:
            time.sleep(min(rest, 0.1))

    def hear(self, number: int, _: Any) -> None:
        """The signal handler: forward the signal to the running command."""
        self.ending = True
        if self._process is not None:
            self._process.send_signal(number)


@contextmanager
def child() -> Iterator[Child]:
    """A Child that receives the signals of this process during the block."""
    running = Child()
    before: dict[signal.Signals, Callable[..., Any] | int | None]
    before = {number: signal.signal(number, running.hear) for number in SIGNALS}
    try:
        yield running
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words before the first `--`, and those after it."""
    cut = list(words).index("--") if "--" in words else len(words)
    return list(words[:cut]), list(words[cut + 1 :])


def tell(text: str) -> None:
    """Print a line to the log (stderr)."""
    print(text, file=sys.stderr, flush=True)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Send SIGTERM, and after GRACE_SECONDS SIGKILL to the whole process group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(limits.GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
