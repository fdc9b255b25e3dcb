"""Leases on streams with fencing tokens: claim, renew, acknowledge, release.

A lease is a term on a stream's row: `holder` may project it until `leased_until` by the database's clock. Each claim
raises `epoch` by 1, so whoever held the stream before, and wakes up late, no longer matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from eventstore.connection.database import Database, Statement
from eventstore.errors import LeaseLost
from projection.leases import claimable
from projection.leases.claimable import NOW
from projection.leases.contract import Lease

# Rows are locked first, then found again by = ANY (ARRAY(…)): so the planner has nothing but lookups by name, at less
# than the cost of a join. With a join it may read the whole index in its order, and did where it knew the table to be
# empty.
CLAIM: Final = Statement(
    text(f"""
WITH free AS MATERIALIZED (
  SELECT stream, holder AS former
    FROM streams
   WHERE {claimable.stream(NOW)}
   ORDER BY pending_since
   LIMIT :limit ::int
     FOR UPDATE SKIP LOCKED
),
claimed AS (
  UPDATE streams s
     SET holder = :holder, epoch = s.epoch + 1, leased_until = {NOW} + :ttl ::interval
   WHERE s.stream = ANY (ARRAY(SELECT stream FROM free))
  RETURNING s.stream, s.epoch, s.projected, s.version
),
counted AS (
  UPDATE projectors
     SET claims = claims + 1,
         leases_held = leases_held + n.claimed,
         takeovers = takeovers + n.taken_over,
         last_takeover_at = CASE WHEN n.taken_over > 0 THEN clock_timestamp() ELSE last_takeover_at END
    FROM (SELECT count(*) AS claimed, count(former) AS taken_over FROM free) AS n
   WHERE holder = :holder AND n.claimed > 0
)
SELECT stream, epoch, projected, version FROM claimed
""")
)
"""Cost follows the pending work: the scan runs along `ix_streams_claimable`, oldest backlog first.

Rows being claimed elsewhere are skipped, not waited for. An empty claim writes nothing.
"""

# Rows that a batch has locked right now are passed over: that batch ends their leases anyway.
RENEW: Final = Statement(
    text(f"""
WITH held AS MATERIALIZED (
  SELECT s.stream
    FROM unnest(:streams ::text[], :epochs ::bigint[]) AS given(stream, epoch)
   CROSS JOIN LATERAL (
     SELECT stream FROM streams
      WHERE stream = given.stream AND holder = :holder AND epoch = given.epoch AND leased_until > {NOW}
        FOR UPDATE SKIP LOCKED
   ) AS s
)
UPDATE streams SET leased_until = {NOW} + :ttl ::interval
 WHERE stream = ANY (ARRAY(SELECT stream FROM held))
RETURNING stream
""")
)

RELEASE: Final = Statement(
    text("""
WITH held AS MATERIALIZED (
  SELECT s.stream
    FROM unnest(:streams ::text[], :epochs ::bigint[]) AS given(stream, epoch)
   CROSS JOIN LATERAL (
     SELECT stream FROM streams
      WHERE stream = given.stream AND holder = :holder AND epoch = given.epoch
        FOR UPDATE
   ) AS s
),
counted AS (
  UPDATE projectors SET leases_held = leases_held - (SELECT count(*) FROM held) WHERE holder = :holder
)
UPDATE streams SET holder = NULL, leased_until = NULL WHERE stream = ANY (ARRAY(SELECT stream FROM held))
""")
)

ACKNOWLEDGE: Final = Statement(
    text(f"""
WITH fenced AS MATERIALIZED (
  SELECT stream, projected
    FROM streams
   WHERE stream = :stream AND holder = :holder AND epoch = :epoch AND leased_until > {NOW}
     FOR UPDATE
),
moved AS (
  UPDATE streams s
     SET projected = :version ::int, holder = NULL, leased_until = NULL,
         pending_since = CASE WHEN s.version > :version THEN coalesce(
           (SELECT e.recorded_at FROM events e WHERE e.stream = s.stream AND e.version = :version + 1),
           clock_timestamp()) END
    FROM fenced
   WHERE s.stream = :stream
  RETURNING s.stream, :version - fenced.projected AS events
),
tallied AS (
  INSERT INTO tallies (slot, projected) SELECT :slot ::smallint, events FROM moved
  ON CONFLICT (slot) DO UPDATE SET projected = tallies.projected + excluded.projected
),
counted AS (
  UPDATE projectors SET leases_held = leases_held - 1 WHERE holder = :holder AND EXISTS (SELECT FROM moved)
)
SELECT stream FROM moved
""")
)


@dataclass(frozen=True, slots=True)
class PostgresLeases:
    """The leases of one store; `slot` is the tally row that this process counts in."""

    database: Database
    slot: int = 0

    async def claim(self, holder: str, *, limit: int, ttl: timedelta, now: datetime | None = None) -> list[Lease]:
        """Lease up to `limit` streams with a backlog; one statement, empty when nothing is free."""
        rows = await self.database.fetch(CLAIM, holder=holder, limit=limit, ttl=ttl, now=now)
        return [Lease(r["stream"], holder, r["epoch"], r["projected"], r["version"]) for r in rows]

    async def renew(self, leases: Sequence[Lease], *, ttl: timedelta, now: datetime | None = None) -> list[Lease]:
        """Prolong the leases that are still held, all of one holder; a row locked by a batch is left as it is."""
        if not leases:
            return []
        rows = await self.database.fetch(RENEW, **_given(leases), ttl=ttl, now=now)
        kept = {row["stream"] for row in rows}
        return [lease for lease in leases if lease.stream in kept]

    async def acknowledge(self, lease: Lease, version: int, *, now: datetime | None = None) -> None:
        """Move one checkpoint and end the lease, in one statement.

        For effects outside this database. A projection inside it commits effect and checkpoint together:
        see `projection.statement.batch`.
        """
        if not lease.projected <= version <= lease.version:
            raise ValueError(f"version {version} is not between {lease.projected} and {lease.version}")
        rows = await self.database.fetch(
            ACKNOWLEDGE,
            stream=lease.stream,
            holder=lease.holder,
            epoch=lease.epoch,
            version=version,
            slot=self.slot,
            now=now,
        )
        if not rows:
            raise LeaseLost(f"{lease.holder} no longer holds stream {lease.stream!r} in epoch {lease.epoch}")

    async def release(self, leases: Sequence[Lease]) -> None:
        """End the leases that are still held, all of one holder; their backlog is free at once."""
        if leases:
            await self.database.fetch(RELEASE, **_given(leases))


def _given(leases: Sequence[Lease]) -> dict[str, object]:
    # Rows are locked in the order of their names, as everywhere, so that nobody waits in a circle.
    leases = sorted(leases, key=lambda lease: lease.stream)
    return {
        "streams": [lease.stream for lease in leases],
        "epochs": [lease.epoch for lease in leases],
        "holder": leases[0].holder,
    }
