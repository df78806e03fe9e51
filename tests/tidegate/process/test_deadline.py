"""What does not answer in time is given up; what it returns or raises in time is its answer."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tidegate.process import deadline
from tidegate.process.deadline import within


def test_an_answer_in_time_is_the_answer() -> None:
    assert within(5, lambda: 3) == 3
    with pytest.raises(KeyError):
        within(5, lambda: dict[str, int]()["x"])


def test_a_late_answer_is_none() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError, match=r"^no answer in 0\.2 s$"):
        within(0.2, never.wait)
    never.set()


def test_a_time_out_of_its_own_is_told_as_it_is() -> None:
    def late() -> None:
        raise TimeoutError("the registry")

    with pytest.raises(TimeoutError, match=r"^the registry$"):
        within(5, late)


SUSPENDED = """
import sys, time
from pathlib import Path
from tidegate.process.deadline import within

def answer():
    print("asked", flush=True)
    for _ in range(10):
        time.sleep(0.1)
    return "answered"

print(within(3, answer), flush=True)
"""


def test_a_process_that_is_suspended_is_not_waiting() -> None:
    """As a laptop whose lid was shut, and as a process that a busy machine does not let run."""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", SUSPENDED]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"asked\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        process.send_signal(signal.SIGCONT)
        assert process.stdout.read() == b"answered\n"


def test_a_wait_for_a_processor_that_is_counted_late_is_not_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = iter([0.0, *(deadline.TICK * 2 * (tick // 2) for tick in range(1, 1000))])
    monkeypatch.setattr(deadline, "busy_seconds", lambda: next(busy))
    patience = deadline.Patience(1)
    assert not any(patience.is_over() for _ in range(90))
    assert any(patience.is_over() for _ in range(300)), "work without end is given up"


def test_what_a_busy_host_takes_of_a_tick_is_not_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a virtual machine a thread that computes may get half of a processor, and nothing counts the rest."""
    busy = iter([deadline.TICK / 2 * tick for tick in range(1000)])
    monkeypatch.setattr(deadline, "busy_seconds", lambda: next(busy))
    patience = deadline.Patience(1)
    assert not any(patience.is_over() for _ in range(90))


def test_what_other_threads_compute_gives_ten_times_the_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = iter(float(tick) for tick in range(1000))
    monkeypatch.setattr(deadline, "busy_seconds", lambda: next(busy))
    patience = deadline.Patience(1.5)
    assert any(patience.is_over() for _ in range(round(10 * 1.5 / deadline.TICK) + 1))


def test_a_thread_that_ends_uses_up_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seconds that it waited for a processor are no longer counted, as if the process had given them back."""
    busy = iter([0.0, 60.0, *(50.0 for _ in range(100))])
    monkeypatch.setattr(deadline, "busy_seconds", lambda: next(busy))
    patience = deadline.Patience(5)
    patience.is_over()
    assert not any(patience.is_over() for _ in range(20))


def test_the_seconds_of_threads_that_ended_still_count() -> None:
    def compute() -> None:
        until = time.thread_time() + 0.2
        while time.thread_time() < until:
            sum(range(1000))

    before = deadline.busy_seconds()
    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    assert deadline.busy_seconds() - before >= 0.2


def test_work_that_computes_is_not_silent() -> None:
    def compute() -> str:
        until = time.process_time() + 1.2
        while time.process_time() < until:
            sum(range(1000))
        return "done"

    assert within(1, compute) == "done"


def test_work_that_computes_for_ever_is_given_up() -> None:
    end = threading.Event()

    def compute() -> None:
        while not end.is_set():
            sum(range(1000))

    with pytest.raises(TimeoutError):
        within(0.2, compute)
    end.set()
