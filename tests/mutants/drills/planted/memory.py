"""A projector that works from memory: what its claim has seen is its checkpoint, whatever the store says by now.

While its leases hold it does what the system as it is does, since nobody else moves a stream that it has claimed. So do
handlers whose effect is elsewhere, where no row tells how far it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from projection.leases.work import Work
from projection.ordering.stream_leases import StreamLeases
from projection.statement.handler import SetHandler
from projection.statement.outcome import Outcome
from projection.strategy import Tools
from tests.read_models import READ_MODELS

OVERWRITE: Final = """
inserted AS (
  INSERT INTO todos AS t (id, text, created_at, updated_at, version, deleted, applied)
  SELECT clean.stream, coalesce(clean.text, o.text), coalesce(clean.created_at, o.created_at), clean.updated_at,
         clean.last, clean.deleted, clean.events
    FROM clean LEFT JOIN todos o ON o.id = clean.stream
  ON CONFLICT (id) DO UPDATE
     SET text = excluded.text, updated_at = excluded.updated_at, version = excluded.version, deleted = excluded.deleted,
         applied = t.applied + excluded.applied
  RETURNING id, deleted, xmax = 0 AS fresh
),
applied AS (
  SELECT id AS stream FROM inserted
),
todos_tallied AS (
  INSERT INTO todo_tallies (slot, todos, active)
  SELECT :slot ::smallint, count(*) FILTER (WHERE i.fresh),
         count(*) FILTER (WHERE i.fresh AND NOT i.deleted) - count(*) FILTER (WHERE i.deleted AND NOT o.deleted)
    FROM inserted i LEFT JOIN todos o ON o.id = i.id
  HAVING count(*) FILTER (WHERE i.fresh OR i.deleted) > 0
  ON CONFLICT (slot) DO UPDATE
     SET todos = todo_tallies.todos + excluded.todos, active = todo_tallies.active + excluded.active
)
"""
"""An effect that does not look at the row's version: right as long as each event comes once, and in its order."""

FROM_MEMORY: Final[Mapping[str, str]] = {
    "unseen": "e.version > (:seen ::int[])[array_position(:streams ::text[], e.stream)]",
    "guard": "true",
}


def with_parts(tools: Tools, parts: Mapping[str, str]) -> Tools:
    """The same tools, but for a statement with some parts planted."""
    return replace(tools, handler=SetHandler(READ_MODELS, parts))


class Remembering(StreamLeases):
    """Tells the statement what it has seen of each stream when it claimed it."""

    async def _run(self, works: Sequence[Work]) -> Outcome:
        return await self._batch(
            streams=[work.lease.stream for work in works],
            epochs=[work.lease.epoch for work in works],
            uptos=[work.upto for work in works],
            seen=[work.lease.projected for work in works],
            holder=self._tools.settings.name,
            slot=self._tools.slot,
            others=len(self._in_flight) - len(works),
        )
