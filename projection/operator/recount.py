"""Recount: hold the counters against the tables, and mend them, while others write.

Appends, batches and commands move a counter in the transaction that moves what it counts. So the difference between a
counter and its table is the same in every snapshot, whoever is at work: it is found in one snapshot (REPEATABLE READ),
and put right in a row that no process writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from projection.operator.pieces import PIECE, pieces
from projection.operator.rows import SLOT
from projection.operator.steps import Steps

PROJECTION: Final[Mapping[str, str]] = {
    "todos": "count(*) AS todos, count(*) FILTER (WHERE NOT deleted) AS active",
    "streams": "count(*) AS streams, coalesce(sum(projected), 0)::bigint AS projected",
}
LOG: Final[Mapping[str, str]] = {"events": "count(*) AS events"}
"""What is counted in each table."""

# The rows are written by recounts and resets alone, which therefore take turns.
TURN: Final = (
    f"INSERT INTO tallies (slot) VALUES ({SLOT}) ON CONFLICT (slot) DO UPDATE SET projected = tallies.projected",
    f"""
INSERT INTO todo_tallies (slot, todos, active) VALUES ({SLOT}, 0, 0)
ON CONFLICT (slot) DO UPDATE SET todos = todo_tallies.todos
""",
)
KEPT: Final = """
SELECT coalesce(sum(events), 0)::bigint AS events, coalesce(sum(streams), 0)::bigint AS streams,
       coalesce(sum(projected), 0)::bigint AS projected,
       (SELECT coalesce(sum(todos), 0)::bigint FROM todo_tallies) AS todos,
       (SELECT coalesce(sum(active), 0)::bigint FROM todo_tallies) AS active
  FROM tallies
"""
MEND: Final = f"""
UPDATE tallies SET events = events + $1, streams = streams + $2, projected = projected + $3 WHERE slot = {SLOT}
"""
MEND_TODOS: Final = f"UPDATE todo_tallies SET todos = todos + $1, active = active + $2 WHERE slot = {SLOT}"


@dataclass(frozen=True, slots=True)
class Recounted:
    """The counters that were off: what each said, and what the table says."""

    mended: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.mended:
            return "the counters are as the tables say"
        changes = ", ".join(f"{name} {told} -> {real}" for name, (told, real) in self.mended.items())
        return f"counters mended: {changes}"


async def recount(steps: Steps, *, log: bool = False) -> Recounted:
    """Mend the projection's counters (todos, active, streams, projected); with `log`, that of the events, too."""
    counted = {**PROJECTION, **(LOG if log else {})}

    async def work(connection: asyncpg.Connection) -> Recounted:
        for statement in TURN:
            await connection.execute(statement)
        kept = await connection.fetchrow(KEPT)
        real: dict[str, int] = {}
        for table, counts in counted.items():
            await _count(connection, table, counts, real, steps)
        off = {name: real[name] - kept[name] for name in real}
        await connection.execute(MEND, *(off.get(name, 0) for name in ("events", "streams", "projected")))
        await connection.execute(MEND_TODOS, off["todos"], off["active"])
        return Recounted({name: (kept[name], real[name]) for name in real if off[name]})

    return await steps.run(work, isolation="repeatable_read")


async def _count(connection: asyncpg.Connection, table: str, counts: str, real: dict[str, int], steps: Steps) -> None:
    found: dict[str, int] = {}
    async for place in pieces(connection, table, steps.size):
        row = await connection.fetchrow(f"SELECT {counts} FROM {table} WHERE {PIECE}", *place)
        for name, number in row.items():
            found[name] = found.get(name, 0) + number
        steps.progress(f"counting {table}")
    if not found:
        found = dict(await connection.fetchrow(f"SELECT {counts} FROM {table} WHERE false"))
    real.update(found)
