"""Commits out of order: events of the system take a position, and are committed after later ones; others are undone.

A plain SQL writer takes the place of a stream's next event, and is rolled back a moment later. The system's own append
to that stream has its position by then and waits, while others are committed past it. A reader that passes over a
position that it does not see loses that event for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any, Final

import asyncpg

from bench.oracle.connection import ERRORS, OpenConnection
from bench.platforms.platform import System
from bench.trial.fault import Evidence, Stats
from bench.trial.foreign.background import running
from bench.trial.foreign.session import address, require_store, session
from bench.trial.foreign.span import Span
from settings.catalogue.projection import Strategy

LASTS_S: Final = 3.0
HELD_S: Final = (0.3, 0.3, 0.8)
"""The last is longer than an append of ours waits: it is rolled back, and sent again."""
LANDS_S: Final = 0.05
LOOKS: Final = 10
"""For the append that waited to be committed."""

HOTTEST: Final = """
SELECT stream FROM (SELECT stream FROM events ORDER BY position DESC LIMIT 200) AS recent
 WHERE NOT EXISTS (SELECT FROM events AS e WHERE e.stream = recent.stream AND e.type = 'TodoDeleted')
 GROUP BY stream ORDER BY count(*) DESC LIMIT 1
"""
TAKE: Final = """
INSERT INTO events (stream, version, type, data)
SELECT stream, version + 1, 'TodoUpdated', '{"text": "never"}' FROM streams WHERE stream = $1
RETURNING version
"""
NEWEST: Final = "SELECT coalesce(max(position), 0) FROM events"
PLACED: Final = "SELECT position FROM events WHERE stream = $1 AND version = $2"


@dataclass
class Told:
    """What came of it, written by its thread alone."""

    writers: int = 0
    overtaken: int = 0
    by: int = 0


class Fault:
    """Hit: an event of the system has a position below that of an event that was to be seen before it was."""

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._span = Span(LASTS_S)
        self._told = Told()

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Streams that are written to again and again, so that one that is taken is met."""
        return {"SKEW": "0.5"}

    def set_up(self, system: System) -> None:
        """Needs our own tables."""
        require_store(system)
        address(system)
        self._system = system

    def invoke(self, stats: Stats) -> bool:
        """Begin with it."""
        with self._span.begin(self._system):
            self._span.opened.enter_context(running(self._write))
        return True

    def _write(self, ending: Event) -> None:
        while not ending.is_set():
            try:
                with session(self._system) as early, session(self._system) as others:
                    while not ending.is_set():
                        self._overtake(early, others, ending)
            except ERRORS:
                ending.wait(LANDS_S)

    def _overtake(self, early: OpenConnection, others: OpenConnection, ending: Event) -> None:
        stream = others.value(HOTTEST)
        early.execute("BEGIN")
        try:
            version = early.value(TAKE, stream)
        except asyncpg.UniqueViolationError:
            # The system's own event came first.
            version = None
        if version is None:
            early.execute("ROLLBACK")
            ending.wait(LANDS_S)
            return
        ending.wait(HELD_S[self._told.writers % len(HELD_S)])
        # While the place was taken nobody else's event could be there, so one that is, is newer than what is seen now.
        newest = others.value(NEWEST)
        early.execute("ROLLBACK")
        self._told.writers += 1
        for _ in range(LOOKS):
            if position := others.value(PLACED, stream, version):
                self._told.overtaken += position < newest
                self._told.by = max(self._told.by, newest - position)
                return
            ending.wait(LANDS_S)

    def watch(self, stats: Stats | None) -> bool:
        """It heals when it has lasted for its time."""
        return self._span.note(stats)

    def heal(self) -> None:
        """No more of it."""
        self._span.end()

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """How many were overtaken, and by how much."""
        told = self._told
        return Evidence(
            hit=told.overtaken > 0,
            what=f"{told.writers} plain writer(s) took a place and were rolled back: {told.overtaken} event(s) of the "
            f"system were committed after later ones, up to {told.by} position(s) too late; "
            f"{self._span.standstill.projection}",
        )
