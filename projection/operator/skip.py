"""Skip: pass over the event that is blocked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy import text

from eventstore.connection.statement import Statement
from projection.operator.refusals import UnknownStream
from projection.operator.rows import FREE, RECORDED, SLOT, UNBLOCK_CURSOR, lock
from projection.operator.steps import Steps
from projection.read_model import ReadModels

_SKIPPED: Final = f"""WITH skipped AS (
  UPDATE streams SET projected = projected + 1, skipped = array_append(skipped, projected + 1), {FREE}, pending_since =
         CASE WHEN projected + 1 < version THEN coalesce({RECORDED.format(version="projected + 2")}, pending_since) END
   WHERE stream = :stream AND projected < version
  RETURNING stream, projected, version
),
counted AS (
  INSERT INTO tallies (slot, projected) SELECT {SLOT}, 1 FROM skipped
  ON CONFLICT (slot) DO UPDATE SET projected = tallies.projected + 1
)"""
_TOLD: Final = """
SELECT skipped.stream, skipped.projected AS version, skipped.version - skipped.projected AS left, e.type, e.position
  FROM skipped LEFT JOIN events e ON e.stream = skipped.stream AND e.version = skipped.projected
"""


@dataclass(frozen=True, slots=True)
class Skipped:
    """The event that was passed over, and how many events of its stream come after it."""

    stream: str
    version: int
    type: str | None
    position: int | None
    left: int

    def __str__(self) -> str:
        event = f"{self.type} at position {self.position}" if self.type else "which is not in the store"
        return (
            f"skipped stream {self.stream!r}, version {self.version} ({event}): it is never applied; "
            f"{self.left} events of the stream come after it; projected +1"
        )


async def skip(steps: Steps, stream: str, version: int | None = None) -> Skipped:
    """Pass over the event at which the stream, or in serial mode the projection, is blocked, and unblock both.

    Raises UnknownStream when there is none, or it is not the `version` named. Passes over no second event when it is
    tried again after an answer that was lost.
    """
    tried: list[Skipped] = []

    async def work(connection: asyncpg.Connection) -> Skipped:
        rows = await lock(connection, stream)
        if tried and rows.projected >= tried[0].version:
            return tried[0]
        halts = rows.halts(stream)
        if rows.blocked is None and not halts:
            raise rows.refusal(stream)
        if rows.projected >= rows.head:
            raise UnknownStream(f"stream {stream!r} has no unprojected event")
        if version not in (None, rows.projected + 1):
            raise UnknownStream(f"stream {stream!r} is blocked at version {rows.projected + 1}, not at {version}")
        if halts:
            await connection.execute(UNBLOCK_CURSOR)
        tried[:] = [await pass_over(connection, stream, steps.models)]
        return tried[0]

    return await steps.run(work)


def statement(models: ReadModels) -> Statement:
    """Moves the checkpoint of `stream` past its next event, in all read models."""
    return Statement(text(",".join([_SKIPPED, *(model.skipped for model in models if model.skipped)]) + _TOLD))


async def pass_over(connection: asyncpg.Connection, stream: str, models: ReadModels) -> Skipped:
    """Move the checkpoint past the stream's next event, without any effect. Raises UnknownStream when there is none."""
    skipping = statement(models)
    row = await connection.fetchrow(skipping.sql, *skipping.arguments({"stream": stream}))
    if row is None:
        raise UnknownStream(f"stream {stream!r} has no unprojected event")
    return Skipped(row["stream"], row["version"], row["type"], row["position"], row["left"])
