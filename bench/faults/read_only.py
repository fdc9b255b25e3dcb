"""`default_transaction_read_only` and all sessions cut, as at a switchover, and back: writes are refused meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.platforms.platform import System
from bench.trial.fault import Evidence, Stats
from bench.trial.foreign.altered import altered
from bench.trial.foreign.refusals import refusals, unacknowledged
from bench.trial.foreign.session import require_dba
from bench.trial.foreign.span import Span
from bench.trial.foreign.standstill import LASTS_S as STANDS_S
from settings.catalogue.projection import Strategy

LASTS_S: Final = 3.0
READ_ONLY: Final = {"default_transaction_read_only": "on"}


class Fault:
    """Hit: the log stood still, and writes were answered with a refusal or not at all."""

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self.span = Span(LASTS_S)

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """The load generator waits for an API that looks for its store again."""
        return {"SILENCE_MAX": "60s"}

    def set_up(self, system: System) -> None:
        """Needs a login that may alter the database."""
        require_dba(system)
        self._system = system

    def invoke(self, stats: Stats) -> bool:
        """Alter it, and cut all sessions."""
        with self.span.begin(self._system) as dba:
            self.span.opened.enter_context(altered(self._system, dba, READ_ONLY))
        return True

    def watch(self, stats: Stats | None) -> bool:
        """It heals when it has lasted for its time."""
        return self.span.note(stats)

    def heal(self) -> None:
        """Take it back, and cut all sessions again: those from before stay read-only."""
        self.span.end()

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """How long no event was written, and how many writes were not acknowledged."""
        stood_s = self.span.standstill.log_s
        return Evidence(
            hit=stood_s >= STANDS_S and unacknowledged(loadgen) > 0,
            what=f"the database was read-only for {LASTS_S:g} s, its sessions cut before and after: "
            f"no event was written for {stood_s:.1f} s, {refusals(loadgen)}",
        )
