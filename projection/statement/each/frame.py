"""Transaction of a per-event batch: what stands before the functions and after them, for every strategy.

It keeps what the set-based batch keeps (`projection.statement.batch`) and ends with the same rows: streams, or the
cursor, are locked for the holder and epoch of an unexpired lease, and stay locked until the commit, so that nobody
takes over meanwhile; effect, audit, counters and checkpoint commit together, or not at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import asyncpg

from eventstore.connection.database import Database
from eventstore.connection.statement import Statement
from projection.read_model import Apply, Event
from projection.statement.each import statements
from projection.statement.each.span import Cause, Guard, Span, missing
from projection.statement.each.stalls import Stalls
from projection.statement.outcome import Trouble
from projection.statement.parts import Parts
from projection.statement.shapes import Shape

T = TypeVar("T")


@dataclass(frozen=True)
class Frame:
    """One strategy's batches with these functions. `pause_ms`: how long a function may leave Postgres waiting.

    `parts` and `guard` are the conditions that keep a batch right.
    """

    database: Database
    shape: Shape
    parts: Parts
    functions: Sequence[Apply]
    pause_ms: int
    guard: Guard = missing
    stalls: Stalls = field(default_factory=Stalls)

    @property
    def lock_ms(self) -> int:
        """How long a function may wait for a lock: less than a statement may take."""
        return max(1, round(self.database.bounds.statement * 1000 * 0.8))

    async def transaction(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Run `work` in a transaction of its own, and commit. Raises the store's errors, and what `work` raises."""
        async with self.database.connection() as connection, connection.transaction():
            bounds = {"pause_ms": str(self.pause_ms), "lock_ms": str(self.lock_ms)}
            pause, _ = await fetch(connection, statements.BOUNDS, bounds)
            self.stalls.bound_s = pause["bound_s"]
            return await work(connection)

    async def held(self, connection: asyncpg.Connection, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """Fence: lock what is held, or may be had, and read where it stands."""
        return await fetch(connection, statements.held(self.shape, self.parts), values)

    async def read(
        self, connection: asyncpg.Connection, spans: Mapping[str, Span], uptos: Sequence[int], slot: int
    ) -> None:
        """Fill the spans with what their checkpoints have not seen, up to these versions."""
        given = {
            "streams": list(spans),
            "projecteds": [span.projected for span in spans.values()],
            "uptos": uptos,
        }
        for row in await fetch(connection, statements.unseen(self.parts), given):
            spans[row["stream"]].events.append(Event.of(row, slot))

    async def checkpoint(
        self, connection: asyncpg.Connection, spans: Sequence[Span], values: Mapping[str, Any]
    ) -> tuple[int, int]:
        """Move the checkpoints past the spans, with audit rows and counters. How many streams and events these are."""
        given = {
            "streams": [span.stream for span in spans],
            "epochs": [span.epoch for span in spans],
            "firsts": [span.events[0].version for span in spans],
            "lasts": [span.events[-1].version for span in spans],
            "positions": [max(event.position for event in span.events) for span in spans],
            "formers": [span.former for span in spans],
        }
        (row,) = await fetch(connection, statements.checkpoint(self.shape), {**NOTHING, **values, **given})
        return row["streams"], row["events"]


NOTHING: Final = {"leases": 0, "walked": 0, "duplicates": 0, "troubled": 0, "last_position": None}


async def fetch(
    connection: asyncpg.Connection, statement: Statement, values: Mapping[str, Any]
) -> list[asyncpg.Record]:
    """Run a statement with those of the values that it has parameters for."""
    given = {name: values[name] for name in statement.names if name in values}
    rows: list[asyncpg.Record] = await connection.fetch(statement.sql, *statement.arguments(given))
    return rows


async def troubles(connection: asyncpg.Connection, causes: Sequence[Cause]) -> tuple[Trouble, ...]:
    """The causes as a batch tells them: with the position from which each stream waits."""
    if not causes:
        return ()
    given = {
        "streams": [cause.span.stream for cause in causes],
        "versions": [cause.version for cause in causes],
    }
    at = {row["stream"]: row["position"] for row in await fetch(connection, statements.POSITIONS, given)}
    return tuple(
        Trouble(one.span.stream, one.span.epoch, one.version, at[one.span.stream], one.reason) for one in causes
    )
