"""Transactions that cross with the system's: rows of todos before those of streams and cursor, counters before streams.

The server ends one of two that wait for each other; of the system's, the statement is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any, Final

import asyncpg

from bench.oracle.connection import ERRORS, OpenConnection
from bench.platforms.platform import System
from bench.trial.fault import Evidence, Stats
from bench.trial.foreign.altered import altered
from bench.trial.foreign.background import running
from bench.trial.foreign.session import require_dba, require_store, session
from bench.trial.foreign.span import Span
from settings.catalogue.projection import Strategy

LASTS_S: Final = 3.0
SOON: Final = {"deadlock_timeout": "100ms"}
"""After which the system's sessions look whether they wait in a circle: sooner than an append gives up waiting."""
TURNS: Final = ("50ms", "1s")
"""And the foreign ones: before the system's, so that they are the ones that are ended; and after them."""
CROSS_S: Final = 0.05
"""Between the two locks, for somebody of the system to come in between."""

RECENT: Final = "SELECT stream FROM (SELECT stream FROM events ORDER BY position DESC LIMIT 40) AS recent"
TODOS: Final = f"SELECT id FROM todos WHERE id IN ({RECENT}) ORDER BY id DESC FOR UPDATE"
STREAMS: Final = f"SELECT stream FROM streams WHERE stream IN ({RECENT}) ORDER BY stream DESC FOR UPDATE"
CURSOR: Final = "SELECT name FROM cursors FOR UPDATE"
COUNTERS: Final = "SELECT slot FROM tallies ORDER BY slot DESC FOR UPDATE"
CROSSINGS: Final = ((TODOS, CURSOR, STREAMS), (COUNTERS, STREAMS))
"""A projection batch locks the cursor and streams, then todos; an append streams, then counters."""

COUNTED: Final = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@dataclass
class Told:
    """Of one client: how often it crossed, and how often it was the one that was ended."""

    crossed: int = 0
    ended: int = 0


class Fault:
    """Hit: the server counted deadlocks."""

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._span = Span(LASTS_S)
        self.told = [Told() for _ in CROSSINGS]
        self._before = 0
        self._deadlocks = 0

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Nothing: it hits under any load."""
        return {}

    def set_up(self, system: System) -> None:
        """Needs our own tables, and a superuser's login."""
        require_store(system)
        require_dba(system, superuser=True)
        self._system = system

    def invoke(self, stats: Stats) -> bool:
        """Begin with it."""
        with self._span.begin(self._system) as dba:
            self._before = dba.value(COUNTED)
            self._span.opened.callback(self._count)
            self._span.opened.enter_context(altered(self._system, dba, SOON))
            clients = [partial(self._cross, locks, told) for locks, told in zip(CROSSINGS, self.told, strict=True)]
            self._span.opened.enter_context(running(*clients))
        return True

    def _cross(self, locks: tuple[str, ...], told: Told, ending: Event) -> None:
        while not ending.is_set():
            looks_after = TURNS[told.crossed % len(TURNS)]
            try:
                with session(self._system, deadlock_timeout=looks_after) as foreign:
                    _lock(foreign, locks, ending)
            except asyncpg.DeadlockDetectedError:
                told.ended += 1
            except ERRORS:
                ending.wait(CROSS_S)
            told.crossed += 1

    def _count(self) -> None:
        """A session tells its deadlocks when it ends, at the latest; all of the system's have by now."""
        deadlocks = self._span.look(COUNTED)
        self._deadlocks = deadlocks[0]["deadlocks"] - self._before if deadlocks else 0

    def watch(self, stats: Stats | None) -> bool:
        """It heals when it has lasted for its time."""
        return self._span.note(stats)

    def heal(self) -> None:
        """No more of it."""
        self._span.end()

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """How many deadlocks, and who was ended."""
        crossed, foreign = (sum(getattr(one, name) for one in self.told) for name in ("crossed", "ended"))
        return Evidence(
            hit=self._deadlocks > 0,
            what=f"{crossed} transaction(s) crossed with the system's: {self._deadlocks} deadlock(s), of which "
            f"{max(0, self._deadlocks - foreign)} ended a statement of the system; {self._span.standstill.projection}",
        )


def _lock(foreign: OpenConnection, locks: tuple[str, ...], ending: Event) -> None:
    """Take them one after another, and give all back at the end of the session."""
    foreign.execute("BEGIN")
    for number, lock in enumerate(locks):
        if number:
            ending.wait(CROSS_S)
        foreign.execute(lock)
    foreign.execute("ROLLBACK")
