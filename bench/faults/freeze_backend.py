"""SIGSTOP to one Postgres backend that holds locks, and SIGCONT seconds later: it goes on as if nothing had been."""

from __future__ import annotations

import time
from collections.abc import Mapping
from random import Random
from typing import Any, Final

import asyncpg

from bench.oracle.connection import ERRORS, OpenConnection
from bench.platforms.platform import Backends, Part, System
from bench.trial.fault import Evidence, Stats
from bench.trial.foreign.refusals import slowest_s
from bench.trial.foreign.session import require_dba
from bench.trial.foreign.span import Span
from bench.trial.foreign.standstill import LASTS_S as STANDS_S
from bench.trial.foreign.transactions import HELD, WAITING, WITHIN, kind
from settings.catalogue.projection import Strategy

LASTS_S: Final = 3.0
TRIES: Final = 50
LOOK_S: Final = 1.0
"""A server of which one backend stands may give no answer at all: where it holds a lock of the server's own."""
SEEN: Final = 0.75
"""The share of the span that the slowest request must have taken."""


class Fault:
    """Hit: it held locks while it was frozen, and somebody waited for it: another session, the projection, or a client
    nearly as long as it stood.
    """

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._server: Part
        self._random: Random
        self._span = Span(LASTS_S, within_s=LOOK_S)
        self._who = ""
        self.pid = 0
        self._locks: int | None = None
        self._waited = 0
        self._silent = 0

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """The load generator waits for a server that stands as a whole."""
        return {"SILENCE_MAX": "60s"}

    def set_up(self, system: System) -> None:
        """Needs the power over single backends."""
        system.require("postgres", Backends)
        require_dba(system)
        self._system, self._random = system, Random(system.settings.seed)
        (self._server, *_) = system.parts("postgres")

    def invoke(self, stats: Stats) -> bool:
        """Freeze one that is within a transaction still when it stands; else it goes on, for a better moment."""
        with self._span.begin(self._system) as dba:
            found = any(self._frozen(dba) for _ in range(TRIES))
        if not found:
            self._span.end()
        return found

    def _frozen(self, dba: OpenConnection) -> bool:
        one = self._choose(dba.rows(WITHIN))
        if one is None:
            time.sleep(0.002)
            return False
        pid = one["pid"]
        # Before it stands, so that it goes on whatever comes.
        self._span.opened.callback(self._system.thaw_backend, self._server, pid)
        if not self._system.freeze_backend(self._server, pid):
            return False
        self._who = kind(one["application_name"])
        try:
            held = dba.rows(HELD, pid, one["backend_start"])
        except ERRORS:
            # All stand: it has a lock of the server's own in hand, and so is at work.
            self._silent += 1
        else:
            if not held:
                self._system.thaw_backend(self._server, pid)
                return False
            self._locks = held[0]["locks"]
        self.pid = pid
        return True

    def _choose(self, found: list[asyncpg.Record]) -> asyncpg.Record | None:
        """One of those within a transaction, each kind of session as likely as another."""
        kinds = sorted({kind(one["application_name"]) for one in found})
        wanted = self._random.choice(kinds) if kinds else ""
        return next((one for one in found if kind(one["application_name"]) == wanted), None)

    def watch(self, stats: Stats | None) -> bool:
        """It heals when it has stood for its time; meanwhile it is seen who waits."""
        if self._span.lasting:
            waiting = self._span.look(WAITING, self.pid)
            self._silent += waiting is None
            self._waited = max(self._waited, len(waiting or ()))
        return self._span.note(stats)

    def heal(self) -> None:
        """Let it go on."""
        self._span.end()

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """What it held, and who waited."""
        slowest, still = slowest_s(loadgen), self._span.standstill
        waited = self._waited or self._silent or still.projection_s >= STANDS_S or slowest >= LASTS_S * SEEN
        locks = "locks of the server's own" if self._locks is None else f"{self._locks} lock(s)"
        silent = f"; the server gave no answer to {self._silent} look(s)" if self._silent else ""
        return Evidence(
            hit=bool(self._who and waited),
            what=f"a backend of {self._who or 'nobody'} was frozen (SIGSTOP) for {LASTS_S:g} s with {locks}: "
            f"{self._waited} session(s) waited for it, {still.projection}, "
            f"the slowest request took {slowest:.1f} s{silent}",
        )
