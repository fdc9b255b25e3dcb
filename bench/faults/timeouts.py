"""Time limits of a DBA (`statement_timeout`, `lock_timeout`, `idle_in_transaction_session_timeout`) with locks taken.

The server cancels what waits longer, again and again: a time limit passes, and is no fault of an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from bench.oracle.connection import OpenConnection
from bench.platforms.platform import System
from bench.trial.fault import Evidence, Stats
from bench.trial.foreign.altered import altered
from bench.trial.foreign.session import require_dba, require_store, session
from bench.trial.foreign.span import Span
from bench.trial.foreign.transactions import WAITING
from settings.catalogue.projection import Strategy

ROWS_S: Final = 1.6
TABLE_S: Final = 1.6
TIME_LIMITS: Final = {
    "statement_timeout": "300ms",
    "lock_timeout": "150ms",
    "idle_in_transaction_session_timeout": "500ms",
}
RECENT: Final = "SELECT stream FROM (SELECT stream FROM events ORDER BY position DESC LIMIT 40) AS recent"
ROWS: Final = (
    f"BEGIN; SELECT stream FROM streams WHERE stream IN ({RECENT}) ORDER BY stream FOR UPDATE;"
    f" SELECT id FROM todos WHERE id IN ({RECENT}) ORDER BY id FOR UPDATE"
)
"""Those that were written last: an append waits for a stream, a batch passes over it and waits for a todo."""
TABLE: Final = "ROLLBACK; BEGIN; LOCK TABLE streams IN SHARE MODE"
"""As CREATE INDEX does: nobody writes there."""


class Fault:
    """Hit: a statement of the system waited for a lock, and had ended while the lock was held still."""

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._span = Span(ROWS_S + TABLE_S)
        self._holder: OpenConnection | None = None
        self._table = False
        self._waiting: set[tuple[int, Any]] = set()
        self._cancelled = 0

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """The load generator waits for an API that looks for its store again."""
        return {"SILENCE_MAX": "60s"}

    def set_up(self, system: System) -> None:
        """Needs our own tables, and a login that may alter the database."""
        require_store(system)
        require_dba(system)
        self._system = system

    def invoke(self, stats: Stats) -> bool:
        """Set them, and cut all sessions; then take locks of rows."""
        with self._span.begin(self._system) as dba:
            self._span.opened.enter_context(altered(self._system, dba, TIME_LIMITS))
            self._holder = self._span.opened.enter_context(session(self._system))
            self._holder.execute(ROWS)
        return True

    def watch(self, stats: Stats | None) -> bool:
        """See who waits, and who does no longer; half-way the whole table is taken."""
        over = self._span.note(stats)
        if self._span.lasting and self._holder is not None:
            self._look(self._holder)
            if self._span.elapsed_s >= ROWS_S and not self._table:
                self._table = True
                self._span.use(partial(self._take_table, self._holder))
        return over

    def _take_table(self, holder: OpenConnection, _: OpenConnection) -> None:
        # Who waited for a row may have it now.
        self._waiting = set()
        holder.execute(TABLE)

    def _look(self, holder: OpenConnection) -> None:
        found = self._span.look(WAITING, holder.pid)
        if found is not None:
            waiting = {(one["pid"], one["query_start"]) for one in found}
            self._cancelled += len(self._waiting - waiting)
            self._waiting = waiting

    def heal(self) -> None:
        """Give the locks back, take the time limits back, and cut all sessions again."""
        self._span.end()

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """How many were cancelled."""
        told = ", ".join(f"{name} {value}" for name, value in TIME_LIMITS.items())
        return Evidence(
            hit=self._cancelled > 0,
            what=f"{told}, with locks held for {ROWS_S + TABLE_S:g} s: {self._cancelled} statement(s) of the system "
            f"were seen to wait and to be cancelled; {self._span.standstill.projection}",
        )
