"""All of `max_connections` taken by others (SQLSTATE 53300), and the system's own cut: it waits, and comes back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from bench.oracle.connection import ERRORS, OpenConnection
from bench.platforms.platform import System
from bench.trial.fault import Evidence, NotApplicable, Stats
from bench.trial.foreign.idle_sessions import IdleSessions, refused
from bench.trial.foreign.refusals import refusals, unacknowledged
from bench.trial.foreign.session import CUT, OURS, address, asked, require_dba
from bench.trial.foreign.span import Span
from settings.catalogue.projection import Strategy

LASTS_S: Final = 3.0
ROUNDS: Final = 10
"""What is cut comes back at once where there is room, so who is faster has the room."""
MOST: Final = 500
"""Sessions of a server that are taken at most: each is an open file here, and a process there."""
LEFT: Final = f"SELECT count(*) AS sessions FROM pg_stat_activity WHERE {OURS}"


class Fault:
    """Hit: the server refused a session with a login of the system (53300), and writes were answered with a refusal or
    not at all.
    """

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self.span = Span(LASTS_S)
        self._sessions = 0
        self.refused = False
        self._left: int | None = None

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """The load generator waits for an API that looks for its store again."""
        return {"SILENCE_MAX": "60s"}

    def set_up(self, system: System) -> None:
        """Needs a login that may end sessions, and a server that has not too many."""
        require_dba(system)
        self._system = system
        if (most := asked(system, "SELECT current_setting('max_connections')::int")) > MOST:
            raise NotApplicable("max_connections", f"the server has {most:,}, and {MOST} are taken at most", "lower it")

    def invoke(self, stats: Stats) -> bool:
        """Take what is free, cut the system's sessions and take their places, until it has none."""
        with self.span.begin(self._system) as dba:
            others = self.span.opened.enter_context(IdleSessions(address(self._system)))
            for _ in range(ROUNDS):
                full = others.fill(MOST)
                if dba.value(CUT) == 0 and full:
                    break
            others.fill(MOST)
            self._sessions = len(others)
        return True

    def watch(self, stats: Stats | None) -> bool:
        """It heals when it has lasted for its time; a session with the API's login shows that there is no room."""
        if self.span.lasting:
            self.span.use(self._look)
        return self.span.note(stats)

    def _look(self, dba: OpenConnection) -> None:
        left: int = dba.value(LEFT)
        self._left = left if self._left is None else min(left, self._left)
        if not self.refused and self._system.logins is not None:
            with suppress(*ERRORS):
                self.refused = refused(self._system.logins.api)

    def heal(self) -> None:
        """All of them leave."""
        self.span.end()

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """How many came, how many of the system's were left, and how many writes were not acknowledged."""
        left = "an unknown number" if self._left is None else self._left
        said = "refused the API's login (53300)" if self.refused else "refused nobody"
        return Evidence(
            hit=self.refused and unacknowledged(loadgen) > 0,
            what=f"{self._sessions} session(s) of others took all connections for {LASTS_S:g} s, {left} of the "
            f"system's were left, and the server {said}; {refusals(loadgen)}",
        )
