"""Pauses that outlast a transaction: Postgres has ended the session, so what paused is remembered for the next batch.

That batch refuses the event without a call of the function, and so it is counted like whatever else a function does.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import asyncpg
import structlog

from projection.read_model import Event

log = structlog.get_logger()


@dataclass
class Stalls:
    """Events of one projector. `bound_s`: how long a transaction may be idle, as its session says."""

    bound_s: float = float("inf")
    _found: set[tuple[str, int]] = field(default_factory=set)

    @property
    def reason(self) -> str:
        """Why such an event is not applied."""
        return (
            f"its function paused for longer than the {self.bound_s:g} s that a transaction may be idle: LEASE_SECONDS,"
            " or idle_in_transaction_session_timeout where that is set"
        )

    def known(self, event: Event) -> bool:
        """Whether its function paused for too long, and nobody has counted that yet."""
        return (event.stream, event.version) in self._found

    def forget(self, event: Event) -> None:
        """It is counted."""
        self._found.discard((event.stream, event.version))

    async def look(self, connection: asyncpg.Connection, event: Event, began: float) -> None:
        """Remember the event if its function, called at `began`, has cost the session: a round trip after a long one.

        The driver may not have read it yet, so a statement asks.
        """
        if asyncio.get_running_loop().time() - began < self.bound_s:
            return
        with contextlib.suppress(Exception):
            await connection.execute("SELECT")
        if connection.is_closed():
            self._found.add((event.stream, event.version))
            log.warning("function paused for too long", stream=event.stream, version=event.version)
