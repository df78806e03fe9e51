"""Follows the champion: fetches, checks and warms a new one beside the one that serves, then exchanges the two.

A follower that is pinned to a version serves that one, whoever is champion.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidegate.process import limits
from tidegate.process.errors import InputError, UnavailableError, messages
from tidegate.process.keys import Trusted
from tidegate.serving import clean_tables, metrics
from tidegate.serving.clean_tables import Source, Tables
from tidegate.serving.options import Settings
from tidegate.serving.predictor import Predictor, predictor
from tidegate.tracking import journal
from tidegate.tracking.champion import Champion, champion_of, version_of
from tidegate.tracking.entries import History
from tidegate.tracking.store import connect

if TYPE_CHECKING:
    from tidegate.tracking.reader import Client


@dataclass
class Follower:
    """The version that serves, and the looks for the next one; `tell` takes a line for a person."""

    name: str
    trusted: Trusted
    settings: Settings
    tell: Callable[[str], None]
    pinned: str | None = None
    current: Predictor | None = None
    _source: Source | None = None
    _refused: tuple[str, Source | None] | None = None
    _refused_at: float = 0.0
    _last: str = ""
    _client: Client | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    def follow(self) -> None:
        """Look again and again until `end`."""
        while not self._ended.wait(self.settings.poll_seconds):
            self.look()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def look(self) -> bool:
        """Look once, and exchange what serves if there is another champion, or other tables; whether one serves."""
        try:
            self._client = self._client or connect()
            wanted = self._wanted(self._client)
        except (InputError, OSError) as error:
            metrics.LOOKS.labels("failed").inc()
            self._tell_once(messages(error)[0])
            return self.current is not None
        metrics.LOOKS.labels("answered").inc()
        if wanted is None:
            self._tell_once(f"{self.name} has no champion yet: `tidegate run` trains the first")
        else:
            self._compare(self._client, *wanted)
        return self.current is not None

    def _wanted(self, client: Client) -> tuple[str, History | None] | None:
        """The version that is to serve: the pinned one, or the champion with the journal that says so."""
        if self.pinned:
            return self.pinned, None
        history = journal.history(client, self.name)
        return (history.champion, history) if history.champion else None

    def _compare(self, client: Client, version: str, history: History | None) -> None:
        """Exchange what serves unless it is this version with the present tables, or they were refused."""
        source = self._find()
        if (version, source) == self._refused and time.monotonic() < self._refused_at + limits.REFUSED_SECONDS:
            return
        if self.current and (version, source) == (self.current.version, self._source):
            return
        try:
            candidate = self._made(client, version, history, source)
        except UnavailableError as error:
            self._tell_once(messages(error)[0])
        except (InputError, OSError) as error:
            self._refused, self._refused_at = (version, source), time.monotonic()
            metrics.REFUSED.inc()
            serving = f"; version {self.current.version} goes on" if self.current else ""
            self.tell(f"version {version} is refused{serving}: {messages(error)[0]}")
        else:
            self._exchange(candidate, source)

    def _find(self) -> Source | None:
        """The tables that are there; those of before while they cannot be found."""
        try:
            return clean_tables.find(self.settings.tables)
        except InputError as error:
            self._tell_once(messages(error)[0])
            return self._source

    def _made(self, client: Client, version: str, history: History | None, source: Source | None) -> Predictor:
        """The version with the tables, checked and warm."""
        champion = self._champion(client, version, history)
        tables = self._tables(champion, source)
        return predictor(champion, tables, self.settings.unknown, self.settings.max_rows)

    def _champion(self, client: Client, version: str, history: History | None) -> Champion:
        """The version, fetched and checked unless it is the one that serves."""
        if self.current and self.current.version == version:
            return self.current.champion
        if history is None:
            return version_of(client, self.name, version, self.trusted)
        serving = journal.unrepaired(client, self.name, history)
        champion = champion_of(client, self.name, serving, self.trusted)
        assert champion is not None
        return champion

    def _tables(self, champion: Champion, source: Source | None) -> Tables | None:
        return None if source is None else clean_tables.load(source, champion.contract, champion.sql)

    def _exchange(self, candidate: Predictor, source: Source | None) -> None:
        before, self.current = self.current, candidate
        self._source, self._refused, self._last = source, None, ""
        if before:
            metrics.VERSION.labels(before.version).set(0)
            metrics.SWAPS.inc()
        metrics.VERSION.labels(candidate.version).set(1)
        self.tell(_exchanged(before, candidate))

    def _tell_once(self, text: str) -> None:
        """Tell what was not told by the look before."""
        if text != self._last:
            self._last = text
            self.tell(text)


def _exchanged(before: Predictor | None, now: Predictor) -> str:
    """What has changed, in words."""
    if before is None:
        return f"version {now.version} serves"
    same = before.version == now.version
    return f"version {now.version} serves, " + ("with other tables" if same else f"after version {before.version}")
