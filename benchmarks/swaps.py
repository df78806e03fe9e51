"""Swaps of the champion while wrk asks: what they cost, which requests fail, and which answers are mixed.

A mixed answer names one version and has the prediction of another. The journal that is written is a copy.
"""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psutil

from tidegate.process import keys
from tidegate.scoring.scores import answers
from tidegate.tracking import journal, numbered, store
from tidegate.tracking.champion import Champion, version_of
from tidegate.tracking.entries import Entry

# Each thread of wrk has variables of its own; `done` adds them up.
SCRIPT = """
wrk.method = "POST"; wrk.body = [==[%s]==]; wrk.headers["Content-Type"] = "application/json"
local threads = {}
local expected = {%s}
local names = {%s}
function setup(thread) table.insert(threads, thread) end
function init() failed, mixed = 0, 0; for _, name in ipairs(names) do _G["by" .. name] = 0 end end
function response(status, headers, body)
  local version = body:match('"model_version":%%s*"(%%d+)"')
  local prediction = tonumber(body:match('"predictions":%%s*%%[([^,%%]]+)%%]') or "")
  if status ~= 200 or not version or not prediction then failed = failed + 1
  elseif not expected[version] or math.abs(prediction - expected[version]) > 1e-12 then mixed = mixed + 1
  else _G["by" .. version] = _G["by" .. version] + 1 end
end
function done(summary)
  local sums = {failed = 0, mixed = 0}
  for _, name in ipairs(names) do sums["by" .. name] = 0 end
  for _, thread in ipairs(threads) do for key, sum in pairs(sums) do sums[key] = sum + thread:get(key) end end
  for key, sum in pairs(sums) do print("count " .. key .. " " .. sum) end
  local errors = summary.errors
  print("count lost " .. errors.connect + errors.read + errors.write + errors.timeout)
end
"""


class Asked(NamedTuple):
    """What wrk saw: requests a second, the processor's time for each, what failed or was mixed, answers by version."""

    rate: float
    milliseconds: float
    failed: int
    mixed: int
    by: Mapping[str, int]


class Question(NamedTuple):
    """What is asked where, and what each version says."""

    address: str
    body: str
    expected: Mapping[str, float]


class Pair(NamedTuple):
    """Two versions with the same features, and the row of one's reference sample on which they differ most."""

    versions: tuple[Champion, Champion]
    row: int

    @property
    def expected(self) -> dict[str, float]:
        """What each version predicts of the row."""
        rows = self.versions[0].reference.iloc[[self.row]]
        return {each.version: float(answers(each.predict(rows))[0]) for each in self.versions}


def pair(name: str) -> Pair | None:
    """The two newest versions that can be told from one another; None unless there are two."""
    client = store.connect()
    numbers = sorted((int(each.version) for each in numbered.listed(client, name)), reverse=True)
    loaded = [version_of(client, name, str(number), keys.trusted("")) for number in numbers[:2]]
    if len(loaded) < 2 or loaded[0].record.features != loaded[1].record.features:
        return None
    rows = loaded[0].reference
    difference = abs(answers(loaded[0].predict(rows)) - answers(loaded[1].predict(rows)))
    row = int(difference.argmax())
    return Pair((loaded[0], loaded[1]), row) if difference[row] > 0 else None


def copy_of(database: Path, scratch: Path) -> str:
    """The address of a copy of the journal; the files of the versions stay where they are."""
    shutil.copy(database, scratch / "mlflow.db")
    return f"sqlite:///{scratch}/mlflow.db"


@contextmanager
def swapping(name: str, versions: tuple[str, str], seconds: float) -> Iterator[list[str]]:
    """Make the other version champion again and again, in a thread; gives the list of those that were."""
    made: list[str] = []
    over = threading.Event()

    def swap() -> None:
        client = store.connect()
        while not over.wait(seconds / 2 if not made else seconds):
            before = journal.champion(client, name)
            after = versions[0] if before != versions[0] else versions[1]
            now = datetime.now(UTC).isoformat(timespec="microseconds")
            journal.promote(client, name, Entry(before, after, "", "benchmark", now, "a swap", kind="rollback"))
            made.append(after)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield made
    finally:
        over.set()
        thread.join()


def asked(question: Question, connections: int, seconds: float, server: int, scratch: Path) -> Asked:
    """Ask as fast as it is answered, and look at each answer; `server` is the process that answers."""
    script = scratch / "swaps.lua"
    values = ", ".join(f'["{version}"] = {value!r}' for version, value in question.expected.items())
    names = ", ".join(f'"{version}"' for version in question.expected)
    script.write_text(SCRIPT % (question.body, values, names))
    words = ["-t1", f"-c{connections}", f"-d{seconds:.0f}s", "-s", str(script), question.address]
    before = _spent(server)
    text = subprocess.run(["wrk", *words], check=True, capture_output=True, text=True).stdout
    spent = _spent(server) - before
    counts = {name: int(number) for name, number in re.findall(r"^count (\w+) (\d+)$", text, re.MULTILINE)}
    (rate,) = re.findall(r"Requests/sec:\s+([0-9.]+)", text)
    by = {version: counts[f"by{version}"] for version in question.expected}
    failed = counts["failed"] + counts["lost"]
    return Asked(float(rate), 1000 * spent / max(1, sum(by.values())), failed, counts["mixed"], by)


def _spent(process: int) -> float:
    """The seconds of the processor that a process has used."""
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)
