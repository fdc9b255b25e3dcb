"""Transactions that stand idle: foreign ones with and without writes, a REPEATABLE READ reader, a writer of events.

A reader of the global order waits for the writer of events alone, at its position; nobody waits for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from bench.oracle.connection import OpenConnection
from bench.platforms.platform import System
from bench.trial.fault import Evidence, Stats
from bench.trial.foreign.session import address, session
from bench.trial.foreign.span import Span
from bench.trial.foreign.standstill import Standstill
from settings.catalogue.projection import Strategy

FOREIGN_S: Final = 1.5
WRITER_S: Final = 1.5
LONGEST_S: Final = 10.0
"""It ends after this long, whatever was seen."""

FOREIGN: Final = (
    "BEGIN; CREATE TEMPORARY TABLE tidemark_fault ON COMMIT DROP AS SELECT 1 AS number",
    "BEGIN; SELECT 1",
    "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class",
)
"""A write to a table of its own, none, and a snapshot that stays."""

STREAM: Final = "todo-of-a-stalled-writer"
WRITER: Final = f"""
BEGIN;
INSERT INTO streams (stream, version, pending_since) VALUES ('{STREAM}', 1, clock_timestamp());
INSERT INTO events (stream, version, type, data) VALUES ('{STREAM}', 1, 'TodoCreated', '{{"text": "never"}}')
"""
"""It takes a position, and is undone at the end."""

IDLE: Final = """
SELECT min(extract(epoch FROM clock_timestamp() - xact_start))::float8 AS seconds
  FROM pg_stat_activity WHERE pid = ANY ($1::int[]) AND state = 'idle in transaction'
HAVING count(*) = cardinality($1::int[])
"""
"""For how long all of these sessions have been in their transaction, if they are."""


class Fault:
    """Hit: each of them stood idle in its transaction for its time, by the server's clock."""

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._span = Span(LONGEST_S)
        self._sessions: list[OpenConnection] = []
        self._writer: OpenConnection | None = None
        self._idle_s = self._writer_s = 0.0
        self._wrote = False
        self._foreign, self._held = Standstill(), Standstill()

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Nothing: it hits under any load."""
        return {}

    def set_up(self, system: System) -> None:
        """Needs the owner's login."""
        address(system)
        self._system = system

    def invoke(self, stats: Stats) -> bool:
        """Open the foreign ones; the writer of events comes later."""
        with self._span.begin(self._system):
            self._sessions = [self._open() for _ in FOREIGN]
            self._writer = self._open() if self._system.has_store else None
            for one, statements in zip(self._sessions, FOREIGN, strict=True):
                one.execute(statements)
        return True

    def _open(self) -> OpenConnection:
        return self._span.opened.enter_context(session(self._system))

    def watch(self, stats: Stats | None) -> bool:
        """See that they are there; when they were for long enough they end, and the writer of events begins."""
        if not self._span.lasting:
            return False
        if self._wrote and self._writer is not None:
            self._held.note(stats)
            self._writer_s = self._idle([self._writer]) or self._writer_s
        else:
            self._foreign.note(stats)
            self._idle_s = self._idle(self._sessions) or self._idle_s
            if self._writer is not None and self._idle_s >= FOREIGN_S:
                self._wrote = True
                self._span.use(partial(self._write, self._writer))
        return self._seen or self._span.note(stats)

    @property
    def _seen(self) -> bool:
        return self._idle_s >= FOREIGN_S and (self._writer is None or self._writer_s >= WRITER_S)

    def _write(self, writer: OpenConnection, _: OpenConnection) -> None:
        for one in self._sessions:
            one.execute("ROLLBACK")
        writer.execute(WRITER)

    def _idle(self, sessions: list[OpenConnection]) -> float | None:
        found = self._span.look(IDLE, [one.pid for one in sessions])
        return found[0]["seconds"] if found else None

    def heal(self) -> None:
        """Undo all of them."""
        self._span.end()

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """How long they stood, and what became of the projection meanwhile."""
        then = f"; then a writer of events for {self._writer_s:.1f} s: {self._held.projection}"
        return Evidence(
            hit=self._seen,
            what=f"{len(FOREIGN)} foreign transactions (a writer, one without writes, a REPEATABLE READ reader) stood "
            f"idle for {self._idle_s:.1f} s: {self._foreign.projection}{then if self._writer else ''}",
        )
