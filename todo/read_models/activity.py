"""Read model `activity`: how many todos were created, updated and deleted, by the UTC minute of the event.

Every event adds 1 to a counter of its minute. All projectors write the same minute, so each does in a row of its own,
by slot, and a reader sums them up (`SELECT minute, sum(created) FROM activity GROUP BY minute`). The checkpoint and the
guard keep an event from counting twice; a reset takes back what the audit says took effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import asyncpg
from sqlalchemy import BigInteger, Column, DateTime, MetaData, PrimaryKeyConstraint, SmallInteger, Table, text

from eventstore.connection.database import Statement
from projection.read_model import Event, EventTally, ReadModel

KINDS: Final[Mapping[str, str]] = {"TodoCreated": "created", "TodoUpdated": "updated", "TodoDeleted": "deleted"}

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


_COUNTS: Final = ", ".join(f"count(*) FILTER (WHERE e.type = '{kind}') AS {column}" for kind, column in KINDS.items())


def _by_minute(spans: str) -> str:
    """What the versions `first` to `last` of each stream in `spans` count, by minute."""
    return f"""
  SELECT date_trunc('minute', e.recorded_at, 'UTC') AS minute, {_COUNTS}
    FROM {spans} AS spans
   CROSS JOIN LATERAL (
     SELECT type, recorded_at FROM events
      WHERE stream = spans.stream AND version BETWEEN spans.first AND spans.last OFFSET 0
   ) AS e
   GROUP BY minute
"""


# In the order of minutes, so that two that share a slot do not wait in a circle.
EFFECT: Final = f"""
activity_minutes AS ({_by_minute("clean")}),
activity_counted AS (
  INSERT INTO activity (minute, slot, created, updated, deleted)
  SELECT minute, :slot ::smallint, created, updated, deleted FROM activity_minutes ORDER BY minute
  ON CONFLICT (minute, slot) DO UPDATE
     SET created = activity.created + excluded.created, updated = activity.updated + excluded.updated,
         deleted = activity.deleted + excluded.deleted
)
"""

COUNT: Final = Statement(
    text("""
INSERT INTO activity (minute, slot, created, updated, deleted)
VALUES (date_trunc('minute', :recorded_at ::timestamptz, 'UTC'), :slot ::smallint,
        :created ::bigint, :updated ::bigint, :deleted ::bigint)
ON CONFLICT (minute, slot) DO UPDATE
   SET created = activity.created + excluded.created, updated = activity.updated + excluded.updated,
       deleted = activity.deleted + excluded.deleted
""")
)


async def apply(connection: asyncpg.Connection, event: Event) -> None:
    """Count the event in its minute; one of another type counts nowhere."""
    if event.type in KINDS:
        counts = {column: int(event.type == kind) for kind, column in KINDS.items()}
        values = COUNT.arguments({"recorded_at": event.recorded_at, "slot": event.slot, **counts})
        await connection.execute(COUNT.sql, *values)


READ_MODEL: Final = ReadModel(
    name="activity",
    tables=(activity,),
    read={"activity": "SELECT"},
    project={"activity": "SELECT, INSERT, UPDATE"},
    effect=EFFECT,
    apply=apply,
    event_tallies=(
        EventTally(table="activity", key="minute", counters=tuple(KINDS.values()), counted=_by_minute("spans")),
    ),
)
