"""Statements around the functions: read the events of the streams in hand, and move their checkpoints at the end.

Fence, checkpoint, audit and counters are those of the set-based batch (`projection.statement`), in the same order.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sqlalchemy import text

from eventstore.connection.statement import Statement
from projection.leases.claimable import DUE_IN_S
from projection.statement.checkpoint import CHECKPOINT, COUNTED
from projection.statement.parts import Parts
from projection.statement.shapes import Shape
from projection.statement.window import BUSY

BOUNDS: Final = Statement(
    text("""
SELECT extract(epoch FROM (CASE current_setting(name) WHEN '0' THEN set_config(name, bound, true)
                                ELSE current_setting(name) END)::interval)::float8 AS bound_s
  FROM (VALUES ('idle_in_transaction_session_timeout', :pause_ms ::text), ('lock_timeout', :lock_ms ::text))
       AS given(name, bound)
""")
)
"""A process that stops between two statements would hold its locks for ever: Postgres ends its session instead. And
it is Postgres who says that a lock was waited for too long, before the client gives up without an answer. A row for
each of the two bounds, with what holds, in seconds."""

POSITIONS: Final = Statement(
    text("""
SELECT given.stream, (SELECT min(e.position + 0) FROM events e
                       WHERE e.stream = given.stream AND e.version >= given.version) AS position
  FROM unnest(:streams ::text[], :versions ::int[]) AS given(stream, version)
""")
)
"""The lowest position of each stream's events from a version on."""

DUE_IN: Final = Statement(text(f"SELECT {DUE_IN_S} AS due"))


@cache
def held(shape: Shape, parts: Parts) -> Statement:
    """Lock what the strategy has claimed, or may claim now, and nothing that somebody else has locked."""
    conditions = {"fence": parts.fence, "beyond": parts.beyond, "unseen": parts.unseen}
    return Statement(text("WITH" + shape.held.format(**conditions, busy=BUSY)))


@cache
def unseen(parts: Parts) -> Statement:
    """The events of `streams` after `projecteds` up to `uptos`, by version; a snapshot taken after the locks."""
    return Statement(
        text(f"""
SELECT e.position, e.stream, e.version, e.type, e.data, e.recorded_at
  FROM unnest(:streams ::text[], :projecteds ::int[], :uptos ::int[]) WITH ORDINALITY
       AS fenced(stream, projected, upto, n)
 CROSS JOIN LATERAL (
   SELECT * FROM events e WHERE e.stream = fenced.stream AND {parts.unseen} AND e.version <= fenced.upto OFFSET 0
 ) AS e
 ORDER BY n, e.version
""")
    )


# COLLATE: the checkpoint looks streams up by name, in the order of the column.
@cache
def checkpoint(shape: Shape) -> Statement:
    """Checkpoints, audit rows and counters of what was applied, as one statement at the end of the transaction."""
    pieces = [
        """
clean AS MATERIALIZED (
  SELECT stream COLLATE "C" AS stream, epoch, first, last, last_position, (last - first + 1)::bigint AS events, former
    FROM unnest(:streams ::text[], :epochs ::bigint[], :firsts ::int[], :lasts ::int[], :positions ::bigint[],
                :formers ::text[]) AS clean(stream, epoch, first, last, last_position, former)
),
place AS (SELECT),
troubled AS (SELECT FROM generate_series(1, :troubled ::int)),
reach AS (
  SELECT :leases ::bigint AS leases, :walked ::bigint AS walked, :duplicates ::bigint AS duplicates,
         :last_position ::bigint AS last
)
""",
        CHECKPOINT.format(epoch=shape.epoch, former=shape.former),
        COUNTED.format(counted=shape.counted, counted_if=shape.counted_if),
    ]
    return Statement(text("WITH" + ",".join(pieces) + shape.last + "SELECT streams, events FROM done"))
