"""Recount of what events counted, by a key: every span of the audit is counted anew, and the difference is written.

Within the transaction of a recount, and so in its snapshot.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import asyncpg

from projection.operator.pieces import PIECE, pieces
from projection.operator.rows import SLOT
from projection.operator.steps import Steps
from projection.read_model import EventTally

Counted = dict[Any, Counter[str]]
"""Counters by key."""


async def recount_events(connection: asyncpg.Connection, tally: EventTally, steps: Steps) -> dict[str, tuple[int, int]]:
    """Mend one tally, in the row of the commands. What was off, by table, key and counter: what it said, what it is."""
    told = _counted(tally, await connection.fetch(_kept(tally)))
    real: Counted = {}
    async for place in pieces(connection, "projection_audit", steps.size):
        for key, numbers in _counted(tally, await connection.fetch(_of_the_audit(tally), *place)).items():
            real.setdefault(key, Counter()).update(numbers)
        steps.progress(f"counting for {tally.table}")
    mended: dict[str, tuple[int, int]] = {}
    for key in sorted({*told, *real}):
        kept, found = told.get(key, Counter()), real.get(key, Counter())
        off = {name: found[name] - kept[name] for name in tally.counters}
        if any(off.values()):
            await connection.execute(_mend(tally), key, *off.values())
            mended |= {f"{tally.table} {key} {name}": (kept[name], found[name]) for name in off if off[name]}
    return mended


def _counted(tally: EventTally, rows: list[asyncpg.Record]) -> Counted:
    return {row[tally.key]: Counter({name: row[name] for name in tally.counters}) for row in rows}


def _kept(tally: EventTally) -> str:
    sums = ", ".join(f"sum({name})::bigint AS {name}" for name in tally.counters)
    return f"SELECT {tally.key}, {sums} FROM {tally.table} GROUP BY {tally.key}"


def _of_the_audit(tally: EventTally) -> str:
    return f"""
WITH spans AS MATERIALIZED (
  SELECT stream, from_version AS first, to_version AS last FROM projection_audit WHERE {PIECE}
){tally.counted}"""


def _mend(tally: EventTally) -> str:
    values = ", ".join(f"${number}" for number in range(2, len(tally.counters) + 2))
    more = ", ".join(f"{name} = {tally.table}.{name} + excluded.{name}" for name in tally.counters)
    return f"""
INSERT INTO {tally.table} ({tally.key}, slot, {", ".join(tally.counters)}) VALUES ($1, {SLOT}, {values})
ON CONFLICT ({tally.key}, slot) DO UPDATE SET {more}
"""
