"""`pg_terminate_backend` of backends within a transaction: an append and a batch are undone, and sent again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from bench.oracle.connection import OpenConnection
from bench.platforms.platform import System
from bench.trial.fault import Evidence, Stats
from bench.trial.foreign.session import require_dba
from bench.trial.foreign.span import Span
from bench.trial.foreign.transactions import ABORTED, ENDED, kind
from settings.catalogue.projection import Strategy

LASTS_S: Final = 1.0
TRIES: Final = 50
"""Looks for somebody within a transaction, at each strike."""


class Fault:
    """Hit: a backend was gone, and the transaction that it had written in is aborted by the server's own word."""

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._span = Span(LASTS_S)
        self._struck: Counter[str] = Counter()

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Nothing: it hits under any load."""
        return {}

    def set_up(self, system: System) -> None:
        """Needs a login that may end sessions."""
        require_dba(system)
        self._system = system

    def invoke(self, stats: Stats) -> bool:
        """End whoever is within a transaction; for a better moment where nobody was, or it was over by then."""
        with self._span.begin(self._system) as dba:
            self._strike(dba)
        if not self._struck:
            self._span.end()
        return bool(self._struck)

    def _strike(self, dba: OpenConnection) -> None:
        for _ in range(TRIES):
            for one in dba.rows(ENDED):
                if one["gone"] and dba.value(ABORTED, one["xid"]):
                    self._struck[kind(one["application_name"])] += 1
                    return
            time.sleep(0.002)

    def watch(self, stats: Stats | None) -> bool:
        """Strike again at each look until it is over, so that each kind of session is met."""
        if self._span.lasting:
            self._span.use(self._strike)
        return self._span.note(stats)

    def heal(self) -> None:
        """No more of it."""
        self._span.end()

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """How many of whom."""
        whose = ", ".join(f"{name} {count}" for name, count in sorted(self._struck.items())) or "none"
        return Evidence(
            hit=bool(self._struck),
            what=f"{self._struck.total()} backend(s) were ended within a transaction, which was undone: {whose}",
        )
