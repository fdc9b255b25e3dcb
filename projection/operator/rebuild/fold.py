"""Statements that bring streams of the shadow forward: one span of versions each, by the read models' own fragments.

The same refusal, fold, guard, invariants and effects as in a batch (`projection.statement`), over streams that are
given with the versions to apply, in place of streams that are leased. What a rebuild has applied of each stream stands
in `rebuild_streams`, and moves in the statement that applies it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy import text

from eventstore.connection.statement import Statement
from projection.operator.rebuild.schemas import NotRebuilt
from projection.operator.rows import SLOT
from projection.read_model import Apply, Event, EventRefused, ReadModels
from projection.statement.checkpoint import JUDGED
from projection.statement.each import statements
from projection.statement.parts import Parts

_FOLDED: Final = """
given AS MATERIALIZED (
  SELECT stream COLLATE "C" AS stream, projected, upto
    FROM unnest(:streams ::text[], :projecteds ::int[], :uptos ::int[]) AS given(stream, projected, upto)
),
folded AS MATERIALIZED (
  SELECT given.stream, 0::bigint AS epoch, given.projected, given.upto, f.*
    FROM given
   CROSS JOIN LATERAL (
     SELECT {aggregates}
       FROM events e
      WHERE e.stream = given.stream AND e.version > given.projected AND e.version <= given.upto
     HAVING count(*) > 0
   ) AS f
)
"""

_KEPT: Final = """
rebuild_kept AS (
  INSERT INTO rebuild_streams (stream, projected) SELECT stream, last FROM clean
  ON CONFLICT (stream) DO UPDATE SET projected = excluded.projected
),
rebuild_left AS (
  SELECT stream, CASE WHEN refused IS NOT NULL THEN 'version ' || refused || ' can not be applied'
                      WHEN {guard} THEN 'version ' || {broken_at} || ': ' || {broken_why}
                      ELSE 'events are missing among versions ' || projected + 1 || ' to ' || upto END AS why
    FROM judged WHERE NOT sound
   UNION ALL
  SELECT stream, 'events are missing among versions ' || projected + 1 || ' to ' || upto
    FROM given WHERE stream NOT IN (SELECT stream FROM folded)
)
"""

_TOLD: Final = """
SELECT (SELECT coalesce(sum(events), 0)::bigint FROM clean) AS events,
       (SELECT json_agg(rebuild_left) FROM rebuild_left) AS rebuild_left,
       {unapplied} AS refused
"""

_SKIPPED: Final = """WITH skipped AS (
  INSERT INTO rebuild_streams (stream, projected)
  SELECT stream, version FROM unnest(:streams ::text[], :versions ::int[]) AS given(stream, version)
  ON CONFLICT (stream) DO UPDATE SET projected = excluded.projected
  RETURNING stream, projected
)"""


@dataclass(frozen=True, slots=True)
class Span:
    """Versions of a stream after `after`, up to `upto`: to be applied, or, where it was skipped, passed over."""

    stream: str
    after: int
    upto: int
    skipped: bool = False


def applying(models: ReadModels) -> Statement:
    """Apply spans of `streams`, after `projecteds` up to `uptos`, whole or not at all. Tells what is left, and why."""
    parts = Parts(fence="").keeping(models)
    guard = f"{parts.guard} AND last = upto"
    pieces = [
        _FOLDED.format(aggregates=parts.aggregates),
        JUDGED.format(guard=guard, consistent=parts.consistent, newest=parts.newest, scope="true"),
        *([parts.effect] if parts.effect else []),
        _KEPT.format(guard=guard, broken_at=parts.broken_at, broken_why=parts.broken_why),
    ]
    return Statement(text("WITH" + ",".join(pieces) + _TOLD.format(unapplied=parts.unapplied)))


def skipping(models: ReadModels) -> Statement:
    """Pass over one version of each of `streams`."""
    return Statement(text(",".join([_SKIPPED, *(model.skipped for model in models if model.skipped)]) + "\nSELECT"))


class Fold:
    """Applies spans to the shadow, in the transaction and the `search_path` of its caller."""

    def __init__(self, models: ReadModels) -> None:
        self._apply: Final = applying(models)
        self._skip: Final = skipping(models)
        self._functions: Final[list[tuple[str, Apply]]] = [
            (model.name, model.apply) for model in models if not model.effect and model.apply
        ]
        self._events: Final = statements.unseen(Parts(fence=""))

    async def spans(self, connection: asyncpg.Connection, spans: Sequence[Span]) -> tuple[int, Mapping[str, str]]:
        """Bring streams forward, each by one span. How many events that were, and which streams are left, and why.

        Raises NotRebuilt where a function refuses an event.
        """
        skipped = [span for span in spans if span.skipped]
        applied = [span for span in spans if not span.skipped]
        events, left = len(skipped), dict[str, str]()
        if skipped:
            passed = {"streams": [one.stream for one in skipped], "versions": [one.upto for one in skipped]}
            await connection.execute(self._skip.sql, *self._skip.arguments(passed))
        if applied:
            slot = {"slot": SLOT} if "slot" in self._apply.names else {}
            given = {**_of(applied), **slot}
            row = await connection.fetchrow(self._apply.sql, *self._apply.arguments(given))
            events += row["events"]
            left = {one["stream"]: one["why"] for one in row["rebuild_left"] or ()}
            await self._one_by_one(connection, [span for span in applied if span.stream not in left])
        return events, left

    async def _one_by_one(self, connection: asyncpg.Connection, spans: Sequence[Span]) -> None:
        """For read models that have no SQL over sets: their functions, event by event."""
        if not self._functions or not spans:
            return
        for row in await connection.fetch(self._events.sql, *self._events.arguments(_of(spans))):
            event = Event.of(row, SLOT)
            for name, function in self._functions:
                try:
                    await function(connection, event)
                except EventRefused as error:
                    raise NotRebuilt(
                        f"{name}: stream {event.stream!r}, version {event.version}: {error}; the live read model has"
                        " applied it: mend the event, or the function"
                    ) from error


def _of(spans: Sequence[Span]) -> dict[str, object]:
    return {
        "streams": [span.stream for span in spans],
        "projecteds": [span.after for span in spans],
        "uptos": [span.upto for span in spans],
    }
