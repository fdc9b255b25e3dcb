"""One projection transaction, as one statement: fence, guard, effect, audit rows, counters, checkpoint.

What holds for both modes, because it is one statement and so one transaction:

* **fence**: rows are read under lock and only for the lease's holder and epoch, before its end by the database's
  clock. Somebody who lost the lease writes nothing. There is no moment in which a stopped process can hold locks.
* **guard**: a stream's events apply only as version = checkpoint + 1, + 2 … without a hole. Lower ones are
  duplicates: counted, not applied.
* **effect, audit, counters, checkpoint** commit together or not at all: each event takes effect exactly once.

A stream whose events can not be applied (a refused event, or a hole) is *troubled*: nothing of it is applied. In
parallel mode the other streams go on. In serial mode nothing is applied at all, since the order is global. Either way
the worker then asks for the part before the trouble. A row that is not where its stream's checkpoint says undoes the
whole statement with an error, and the worker looks for it by halves.

Nothing is waited for: a stream whose row somebody else has locked (an append under way, or one that got stuck) is left
for later, and is no failure.

Whoever moves a stream's checkpoint also ends its lease and its block, in both modes: nobody can go on from an older
state of the stream, and a change of mode leaves nothing behind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg
import msgspec
from sqlalchemy import text

from eventstore.database import Statement
from todo.read_model import CONSISTENT, EFFECT, FOLD, REFUSAL

BUSY: Final = "somebody else has locked the stream"

# The shape of the plan must not hang on statistics: rows of tables are looked up one by one (LATERAL, not flattened
# because of FOR UPDATE and OFFSET 0), and sets of names are compared by hashing (NOT IN): the cost is linear.
PARALLEL_WINDOW: Final = """
given AS MATERIALIZED (
  SELECT stream COLLATE "C" AS stream, epoch, upto
    FROM unnest(:streams ::text[], :epochs ::bigint[], :uptos ::int[]) AS given(stream, epoch, upto)
),
fenced AS MATERIALIZED (
  SELECT s.stream, s.projected, given.upto, given.epoch
    FROM given
   CROSS JOIN LATERAL (
     SELECT s.stream, s.projected FROM streams s WHERE s.stream = given.stream AND {fence} FOR UPDATE SKIP LOCKED
   ) AS s
),
busy AS (
  SELECT given.stream, given.epoch
    FROM given
   CROSS JOIN LATERAL (SELECT FROM streams s WHERE s.stream = given.stream AND {fence} OFFSET 0) AS s
   WHERE (SELECT count(*) FROM fenced) < (SELECT count(*) FROM given)
     AND given.stream NOT IN (SELECT stream FROM fenced)
),
batch AS (
  SELECT fenced.projected, fenced.epoch, e.*
    FROM fenced
   CROSS JOIN LATERAL (
     SELECT e.*, {refusal} AS reason
       FROM events e
      WHERE e.stream = fenced.stream AND {unseen} AND e.version <= fenced.upto
     OFFSET 0
   ) AS e
)
"""

SERIAL_WINDOW: Final = """
place AS MATERIALIZED (
  SELECT c.name, c.position, c.epoch
    FROM cursors c
   WHERE c.name = :name AND {fence}
     FOR UPDATE
),
walked AS MATERIALIZED (
  SELECT e.stream, e.version, e.position, place.epoch
    FROM place
   CROSS JOIN LATERAL (
     SELECT * FROM events WHERE {beyond} AND position <= :upto ORDER BY position LIMIT :limit
   ) AS e
),
spans AS MATERIALIZED (
  SELECT stream, epoch, min(version) AS first, max(version) AS last, min(position) AS position
    FROM walked GROUP BY stream, epoch ORDER BY stream
),
fenced AS MATERIALIZED (
  SELECT spans.*, s.projected,
         CASE WHEN s.projected IS NOT NULL THEN NULL
              WHEN EXISTS (SELECT FROM streams h WHERE h.stream = spans.stream) THEN '{busy}'
              ELSE 'the stream has events but no head' END AS absence
    FROM spans
    LEFT JOIN LATERAL (
      SELECT s.projected FROM streams s WHERE s.stream = spans.stream FOR UPDATE SKIP LOCKED
    ) AS s ON true
),
batch AS (
  SELECT coalesce(fenced.projected, 0) AS projected, fenced.epoch, e.*
    FROM fenced
   CROSS JOIN LATERAL (
     SELECT e.*, coalesce(fenced.absence, {refusal}) AS reason
       FROM events e
      WHERE e.stream = fenced.stream AND e.version BETWEEN fenced.first AND fenced.last AND {unseen}
     OFFSET 0
   ) AS e
)
"""

# A lease is only granted where the next event exists, so a leased stream without any event to apply has lost one.
PARALLEL_REACH: Final = """
reach AS (
  SELECT (SELECT count(*) FROM fenced) AS leases, 0::bigint AS walked, 0::bigint AS duplicates, NULL::bigint AS last
),
unfolded AS (
  SELECT stream, epoch, projected + 1 AS version, NULL AS reason
    FROM fenced WHERE stream NOT IN (SELECT stream FROM folded)
   UNION ALL
  SELECT stream, epoch, 0, '{busy}' FROM busy
)
"""

SERIAL_REACH: Final = """
reach AS (
  SELECT (SELECT count(*) FROM place) AS leases, count(*) AS walked,
         count(*) - (SELECT coalesce(sum(events), 0)::bigint FROM folded) AS duplicates, max(position) AS last
    FROM walked
),
unfolded AS (
  SELECT NULL::text AS stream, NULL::bigint AS epoch, NULL::int AS version, NULL AS reason WHERE false
)
"""

FOLDED: Final = """
folded AS MATERIALIZED (
  SELECT stream, projected, epoch, count(*) AS events, min(version) AS first, max(version) AS last,
         max(position) AS last_position, min(version) FILTER (WHERE reason IS NOT NULL) AS refused,
         (min(ARRAY[lpad(version::text, 10, '0'), reason]) FILTER (WHERE reason IS NOT NULL))[2] AS reason,
         {fold}
    FROM batch
   GROUP BY stream, projected, epoch
),
judged AS (
  SELECT *, refused IS NULL AND {guard} AND {consistent} AS sound FROM folded
),
clean AS (
  SELECT * FROM judged WHERE sound AND {scope}
)
"""

CHECKPOINT: Final = """
advanced AS (
  UPDATE streams s
     SET projected = clean.last, attempts = 0, retry_at = NULL, blocked_at = NULL, error = NULL,
         holder = NULL, leased_until = NULL,
         pending_since = CASE WHEN clean.last < s.version THEN coalesce(
           (SELECT e.recorded_at FROM events e WHERE e.stream = s.stream AND e.version = clean.last + 1),
           clock_timestamp()) END
    FROM clean
   WHERE s.stream = clean.stream
  RETURNING s.stream, clean.epoch, clean.first, clean.last, clean.last_position, clean.events
),
audited AS (
  INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
  SELECT stream, first, last, last_position, :holder, epoch, clock_timestamp() FROM advanced ORDER BY last_position
),
done AS (
  SELECT count(*) AS streams, coalesce(sum(events), 0)::bigint AS events, max(last_position) AS position FROM advanced
),
causes AS (
  SELECT stream, epoch,
         CASE WHEN refused IS NOT NULL THEN refused
              WHEN {guard} THEN deleted_version + 1
              ELSE coalesce((SELECT min(v) FROM generate_series(projected + 1, last) AS v WHERE NOT EXISTS (
                     SELECT FROM events e WHERE e.stream = judged.stream AND e.version = v)), projected + 1)
         END AS version,
         CASE WHEN refused IS NOT NULL THEN reason WHEN {guard} THEN 'events follow a deletion' END AS reason
    FROM judged WHERE NOT sound
   UNION ALL
  SELECT stream, epoch, version, reason FROM unfolded
),
troubled AS (
  SELECT stream, epoch, version, coalesce(reason, 'events are missing after version ' || version - 1) AS reason,
         (SELECT min(e.position + 0) FROM events e
           WHERE e.stream = causes.stream AND e.version >= causes.version) AS position
    FROM causes
),
tallied AS (
  INSERT INTO tallies (slot, projected, projected_position, projected_at)
  SELECT :slot ::smallint, events, position, clock_timestamp() FROM done WHERE events > 0
  ON CONFLICT (slot) DO UPDATE
     SET projected = tallies.projected + excluded.projected, projected_at = excluded.projected_at,
         projected_position = greatest(tallies.projected_position, excluded.projected_position)
),
counted AS (
  UPDATE projectors p
     SET batches = p.batches + 1, events_projected = p.events_projected + done.events, leases_held = {held},
         duplicates = p.duplicates + CASE WHEN EXISTS (SELECT FROM troubled) THEN 0 ELSE reach.duplicates END
    FROM done, reach
   WHERE p.holder = :holder
)
"""

SERIAL_CHECKPOINT: Final = """,
moved AS (
  UPDATE cursors c
     SET position = reach.last, attempts = 0, retry_at = NULL, error = NULL,
         leased_until = clock_timestamp() + :ttl ::interval
    FROM reach, place
   WHERE c.name = place.name AND reach.last IS NOT NULL AND NOT EXISTS (SELECT FROM troubled)
)
"""

OUTCOME: Final = """
SELECT reach.leases, reach.walked, reach.duplicates, done.streams, done.events, reach.last,
       (SELECT json_agg(troubled) FROM troubled) AS troubled,
       CASE WHEN (SELECT count(*) FROM applied) <> (SELECT count(*) FROM clean)
            THEN refuse('the projected row is missing, deleted, or not at the version before the event') END AS refused
  FROM reach, done
"""


@dataclass(frozen=True)
class Parts:
    """The conditions that the statement is made of, each with a name, so that a test can plant a bug in one."""

    fence: str
    beyond: str = "position > place.position"
    unseen: str = "e.version > coalesce(fenced.projected, 0)"
    guard: str = "first = projected + 1 AND last - first + 1 = events"
    refusal: str = REFUSAL
    consistent: str = CONSISTENT
    fold: str = FOLD
    effect: str = EFFECT

    def planted(self, **parts: str) -> Parts:
        """The same parts, but for those named."""
        return replace(self, **parts)


PARALLEL: Final = Parts(fence="s.holder = :holder AND s.epoch = given.epoch AND s.leased_until > clock_timestamp()")
SERIAL: Final = Parts(fence="c.holder = :holder AND c.epoch = :epoch AND c.leased_until > clock_timestamp()")


def parallel(parts: Parts = PARALLEL) -> Statement:
    """The statement for leased streams: `streams`, `epochs`, `uptos` (arrays), `holder`, `slot`, `others`.

    Applies each stream's events up to version `upto` and ends its lease; a troubled stream keeps its lease. `others`
    is how many leases the holder has in hand beside these.
    """
    return _compose(
        parts,
        PARALLEL_WINDOW,
        PARALLEL_REACH,
        scope="true",
        held="coalesce(:others ::int, 0) + (SELECT count(*) FROM troubled)",
        last="",
    )


def serial(parts: Parts = SERIAL) -> Statement:
    """The statement for the leased cursor: `name`, `epoch`, `upto` (a safe position), `limit`, `holder`, `slot`, `ttl`.

    Walks at most `limit` events after the cursor; moves the cursor past all of them, or not at all, and prolongs
    the lease.
    """
    return _compose(
        parts,
        SERIAL_WINDOW,
        SERIAL_REACH,
        scope="NOT EXISTS (SELECT FROM judged WHERE NOT sound)",
        held="(SELECT count(*) FROM place)",
        last=SERIAL_CHECKPOINT,
    )


def _compose(parts: Parts, window: str, reach: str, *, scope: str, held: str, last: str) -> Statement:
    sql = "WITH" + ",".join(
        (
            window.format(
                fence=parts.fence, beyond=parts.beyond, unseen=parts.unseen, refusal=parts.refusal, busy=BUSY
            ),
            FOLDED.format(guard=parts.guard, consistent=parts.consistent, fold=parts.fold, scope=scope),
            reach.format(busy=BUSY),
            parts.effect,
            CHECKPOINT.format(guard=parts.guard, held=held),
        )
    )
    return Statement(text(sql + last + OUTCOME))


@dataclass(frozen=True, slots=True)
class Trouble:
    """A stream that could not be applied: from which version on, and why.

    `position` is the lowest of the stream's events from there on; a hole at the stream's end has none.
    """

    stream: str
    epoch: int
    version: int
    position: int | None
    reason: str

    @property
    def busy(self) -> bool:
        """True when the stream is not at fault: somebody else has its row for the moment."""
        return self.reason == BUSY


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one batch did.

    `leases` were still held, those of busy streams not counted. In serial mode `walked` events were looked at, the last
    one at position `last`.
    """

    leases: int
    walked: int
    duplicates: int
    streams: int
    events: int
    last: int | None
    troubled: tuple[Trouble, ...]


def outcome(row: asyncpg.Record) -> Outcome:
    """Read the statement's one row."""
    values: dict[str, Any] = dict(row)
    values.pop("refused")
    troubled = msgspec.convert(values.pop("troubled") or [], list[Trouble])
    return Outcome(**values, troubled=tuple(troubled))
