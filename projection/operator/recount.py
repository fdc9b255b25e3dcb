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
from projection.operator.recount_events import recount_events
from projection.operator.rows import SLOT
from projection.operator.steps import Steps
from projection.read_model import Tally

STREAMS: Final = Tally(
    table="tallies", of="streams", counters={"streams": "count(*)", "projected": "coalesce(sum(projected), 0)::bigint"}
)
EVENTS: Final = Tally(table="tallies", of="events", counters={"events": "count(*)"})
"""That of the log is counted on request."""

# The rows are written by recounts and resets alone, which therefore take turns.
TURN: Final = (
    f"INSERT INTO tallies (slot) VALUES ({SLOT}) ON CONFLICT (slot) DO UPDATE SET projected = tallies.projected"
)


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
    """Mend the counters of the read models, of streams and projected; with `log`, that of the events, too."""
    of_models = [tally for model in steps.models for tally in model.tallies]
    tallies = [*of_models, STREAMS, *([EVENTS] if log else [])]

    async def work(connection: asyncpg.Connection) -> Recounted:
        for statement in (TURN, *map(_turn, of_models)):
            await connection.execute(statement)
        kept = [await connection.fetchrow(_kept(tally)) for tally in tallies]
        real = [await _count(connection, tally, steps) for tally in tallies]
        mended: dict[str, tuple[int, int]] = {}
        for tally, told, found in zip(tallies, kept, real, strict=True):
            await connection.execute(_mend(tally), *(found[name] - told[name] for name in tally.counters))
            mended |= {name: (told[name], found[name]) for name in tally.counters if found[name] != told[name]}
        for counted in (tally for model in steps.models for tally in model.event_tallies):
            mended |= await recount_events(connection, counted, steps)
        return Recounted(mended)

    return await steps.run(work, isolation="repeatable_read")


def _turn(tally: Tally) -> str:
    names = list(tally.counters)
    return (
        f"INSERT INTO {tally.table} (slot, {', '.join(names)}) VALUES ({SLOT}{', 0' * len(names)}) "
        f"ON CONFLICT (slot) DO UPDATE SET {names[0]} = {tally.table}.{names[0]}"
    )


def _kept(tally: Tally) -> str:
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in tally.counters)
    return f"SELECT {sums} FROM {tally.table}"


def _mend(tally: Tally) -> str:
    changes = ", ".join(f"{name} = {name} + ${number}" for number, name in enumerate(tally.counters, 1))
    return f"UPDATE {tally.table} SET {changes} WHERE slot = {SLOT}"


async def _count(connection: asyncpg.Connection, tally: Tally, steps: Steps) -> dict[str, int]:
    """What the table says, piece by piece; an aggregate over no row tells the number of an empty table."""
    counts = ", ".join(f"{counter} AS {name}" for name, counter in tally.counters.items())
    found: dict[str, int] = dict(await connection.fetchrow(f"SELECT {counts} FROM {tally.of} WHERE false"))
    async for place in pieces(connection, tally.of, steps.size):
        row = await connection.fetchrow(f"SELECT {counts} FROM {tally.of} WHERE {PIECE}", *place)
        found = {name: found[name] + number for name, number in row.items()}
        steps.progress(f"counting {tally.of}")
    return found
