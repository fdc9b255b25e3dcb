"""Read model `activity`: how many todos were created, updated and deleted, by the UTC minute of the event.

Every event adds 1 to a counter of its minute. All projectors write the same minute, so each does in a row of its own,
by slot, and a reader sums them up. The checkpoint and the guard keep an event from counting twice; a reset takes back
what the audit says took effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, MetaData, PrimaryKeyConstraint, SmallInteger, Table, text

from eventstore.connection.database import Database, Statement

metadata: Final = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

activity: Final = Table(
    "activity",
    metadata,
    Column("minute", DateTime(timezone=True)),
    Column("slot", SmallInteger, autoincrement=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("deleted", BigInteger, nullable=False),
    PrimaryKeyConstraint("minute", "slot"),
    # A minute's row is written by each batch: room for its next version in the same page.
    postgresql_with={"fillfactor": 50},
)


@dataclass(frozen=True, slots=True)
class Minute:
    """What happened in the minute that begins then."""

    minute: datetime
    created: int
    updated: int
    deleted: int


# Minute by minute, so that the cost follows what is asked for, whatever the planner knows of the table.
RECENT: Final = Statement(
    text("""
SELECT asked.minute, counted.created, counted.updated, counted.deleted
  FROM generate_series(date_trunc('minute', clock_timestamp(), 'UTC') - (:minutes ::int - 1) * interval '1 minute',
                       clock_timestamp(), interval '1 minute') AS asked(minute)
 CROSS JOIN LATERAL (
   SELECT sum(created)::bigint AS created, sum(updated)::bigint AS updated, sum(deleted)::bigint AS deleted
     FROM activity WHERE activity.minute = asked.minute HAVING count(*) > 0
 ) AS counted
 ORDER BY asked.minute
""")
)


async def recent(database: Database, minutes: int) -> list[Minute]:
    """The last minutes, that of now included, in which anything happened, oldest first. Raises StoreUnavailable."""
    return [Minute(*row) for row in await database.fetch(RECENT, minutes=minutes)]
