"""What `make test-long` found: docs/reliability.md, with the examples and rounds of each property and their commit."""

import os
import platform
import re
import subprocess
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.tiers import LONG

root = Path(__file__).parents[1]
PATH = root / "docs/reliability.md"
PAGE = """\
# Reliability

Written by `make test-long`, which does with large counts what `make test` and `make test-all` do a little of.
An example is an input that nobody wrote: a table, a contract, a file. A round is a process that was killed, a disk
that was full, a store that was away, or a race of eight. Each line names the commit on which it was last found out:
a run of some of these tests (`TIDEGATE_LONG=1 pytest -m long tests/faults`) replaces their lines alone.

| in all | |
|---|---|
| examples | {examples:,} |
| rounds | {rounds:,} |
| result | {result} |
| last run | {begun:%Y-%m-%d %H:%M} UTC, {minutes:.0f} minutes |
| on | {machine} |

| property | tests | examples | rounds | seconds | commit | result |
|---|---|---|---|---|---|---|
{rows}
"""
ROW = re.compile(r"\| (?P<words>.+?) \| \d+ \| (?P<examples>\d*) \| (?P<rounds>\d*) \| .* \| (?P<state>.+) \|")


@dataclass
class Property:
    """What the tests of one function came to."""

    tests: int = 0
    examples: int = 0
    rounds: int = 0
    seconds: float = 0
    state: str = "holds"


Found = dict[str, Property]
FOUND = pytest.StashKey[Found]()
BEGUN = pytest.StashKey[datetime]()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is found yet."""
    config.stash[FOUND], config.stash[BEGUN] = {}, datetime.now(UTC)
    config.pluginmanager.register(Listener(config.stash[FOUND]))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Hand on what Hypothesis counted: a test that runs in another process tells it by its report."""
    if call.when == "teardown":
        told = getattr(item, "hypothesis_statistics", "")
        for passing, failing in re.findall(r"(\d+) passing, (\d+) failing", told):
            item.user_properties.append(("examples", int(passing) + int(failing)))


class Listener:
    """Adds up what the reports say."""

    def __init__(self, found: Found) -> None:
        self.found = found

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of a test; only the last has all that was counted."""
        found = self.found.setdefault(re.split(r"[\[@]", report.nodeid)[0], Property())
        found.seconds += report.duration
        found.tests += report.when == "teardown"
        if report.failed or (report.skipped and found.state == "holds"):
            found.state = "**fails**" if report.failed else "skipped"
        for name, count in report.user_properties if report.when == "teardown" else ():
            if name in ("examples", "rounds"):
                setattr(found, name, getattr(found, name) + int(str(count)))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, Any, Any]:
    """Write the lines of what has run with large counts, and of nothing else if that was everything."""
    config = session.config
    if LONG and config.option.markexpr == "long" and not hasattr(config, "workerinput"):
        whole = not config.option.keyword and config.args == config.getini("testpaths")
        before = "" if whole else PATH.read_text()
        PATH.write_text(page(config.stash[FOUND], config.stash[BEGUN], _commit(), before))
    return (yield)


def page(found: Found, begun: datetime, commit: str, before: str = "") -> str:
    """The page of a run that ends now, with those lines of the page before that it does not replace."""
    lines = {match["words"]: match[0] for match in map(ROW.fullmatch, before.splitlines()) if match}
    lines |= dict(_lines(found, commit))
    rows = [match for match in map(ROW.fullmatch, lines.values()) if match]
    states = [row["state"] for row in rows]
    return PAGE.format(
        begun=begun,
        machine=f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        minutes=(datetime.now(UTC) - begun).total_seconds() / 60,
        examples=sum(int(row["examples"] or 0) for row in rows),
        rounds=sum(int(row["rounds"] or 0) for row in rows),
        result="; ".join(f"{states.count(state)} {state}" for state in sorted({*states, "holds"})),
        rows="\n".join(lines[words] for words in sorted(lines, key=lambda words: words.split(" (`")[::-1])),
    )


def _lines(found: Found, commit: str) -> Iterable[tuple[str, str]]:
    """The words of each property, and its line."""
    for name, item in found.items():
        place, _, function = name.partition("::")
        words = f"{function.removeprefix('test_').replace('_', ' ')} (`{place}`)"
        numbers = f"{item.tests} | {item.examples or ''} | {item.rounds or ''} | {item.seconds:.0f}"
        yield words, f"| {words} | {numbers} | `{commit}` | {item.state} |"


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
    return subprocess.run(words, cwd=root, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
