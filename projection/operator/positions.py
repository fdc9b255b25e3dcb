"""Repair of the sequence and the cursor of a store that was restored; says what still does not hold.

One transaction: the sequence goes on above the newest event and above the cursor (`eventstore.soundness.positions`);
the cursor goes back before the first event that is not projected, or to the end of the log. What a projection has seen
already it passes by, so going back costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import asyncpg

from eventstore.soundness.check import Check
from eventstore.soundness.positions import Sequence, go_on_above, keep_writers_out
from projection.leases.cursors import CURSOR
from projection.operator.steps import Steps

LOCK_CURSOR: Final = "SELECT position FROM cursors WHERE name = $1 FOR UPDATE"

PASSED: Final = """
SELECT min(e.position)
  FROM streams s
 CROSS JOIN LATERAL (
   SELECT position FROM events WHERE stream = s.stream AND version = s.projected + 1 OFFSET 0
 ) AS e
 WHERE s.pending_since IS NOT NULL AND e.position <= $1
"""
"""The first event that is not projected, where the cursor at position $1 has passed it."""

SET_CURSOR: Final = """
UPDATE cursors SET position = $2, epoch = epoch + 1, holder = NULL, leased_until = NULL WHERE name = $1
"""


@dataclass(frozen=True, slots=True)
class Repair:
    """Where sequence and cursor stood, and stand now. `cursor` is None where no projector was ever serial."""

    sequence: Sequence
    cursor: int | None
    cursor_now: int | None

    def lines(self) -> Iterator[str]:
        """What was done, for people."""
        given, newest, after = self.sequence.given, self.sequence.newest, self.sequence.goes_on_after
        if after != given:
            yield (
                f"the sequence events_position_seq stood at {given}, the newest event at {newest}:"
                f" positions go on after {after}"
            )
        if self.cursor != self.cursor_now:
            yield (
                f"the serial cursor stood at {self.cursor}, where the newest event is {newest}:"
                f" it goes on after {self.cursor_now}"
            )
        if after == given and self.cursor == self.cursor_now:
            yield f"nothing to repair: the sequence stands at {given}, the newest event at {newest}"


@dataclass(frozen=True)
class Positions:
    """What was done, and what an operator still has to do by hand."""

    repair: Repair
    still: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((*self.repair.lines(), *(f"still: {finding}" for finding in self.still)))


async def positions(steps: Steps) -> Positions:
    """Repair in one transaction, then look again. Raises as `Steps.run`."""
    done = await steps.run(_repair)
    findings = await steps.run(Check({}).findings)
    return Positions(done, tuple(map(str, findings)))


async def _repair(connection: asyncpg.Connection) -> Repair:
    # The table first: a batch that is under way has its cursor already, and one that begins has nothing yet.
    await keep_writers_out(connection)
    at: int | None = await connection.fetchval(LOCK_CURSOR, CURSOR)
    sequence = await go_on_above(connection, at or 0)
    if at is None:
        return Repair(sequence, None, None)
    passed: int | None = await connection.fetchval(PASSED, at)
    now = min(at, sequence.newest, at if passed is None else passed - 1)
    if now != at:
        await connection.execute(SET_CURSOR, CURSOR, now)
    return Repair(sequence, at, now)
