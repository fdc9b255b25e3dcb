"""Record of a rebuild: how far it is, in the shadow's schema; and its lease, so that one alone is at work.

Each piece moves the record in its own transaction, fenced by holder, so whoever lost the lease writes nothing. One that
was broken off is gone on with by the next, once its lease has ended.

What batches have changed since is told by the audit: a *mark* is an id that none of those under way can stay below.
What operator commands have changed (reset, skip) is told by the row of `tallies` that they alone write.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import asyncpg

from eventstore.errors import StoreBusy
from projection.operator.rebuild.schemas import Schemas, Table
from projection.operator.recount import TURN
from projection.operator.rows import SLOT

LEASE_S: Final = 5.0
"""How long after its last piece a rebuild counts as at work."""

TURN_TO_MAKE: Final = 1953064547
"""The advisory lock under which a shadow is made, dropped, or taken over."""

_MAKE: Final = """
CREATE TABLE {shadow}.rebuild_record (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  read_models text[] NOT NULL,
  made_by text NOT NULL,
  holder text NOT NULL,
  held_until timestamptz NOT NULL,
  commands text,
  mark bigint NOT NULL DEFAULT 0,
  filled text COLLATE "C" NOT NULL DEFAULT '',
  whole boolean NOT NULL DEFAULT false,
  streams bigint NOT NULL DEFAULT 0,
  events bigint NOT NULL DEFAULT 0
);
CREATE TABLE {shadow}.rebuild_streams (stream text COLLATE "C" PRIMARY KEY, projected integer NOT NULL);
CREATE TABLE {shadow}.rebuild_differences (
  relation text, stream text COLLATE "C", why text NOT NULL, PRIMARY KEY (relation, stream)
)
"""
TABLES: Final = ("rebuild_record", "rebuild_streams", "rebuild_differences")
"""What is in the shadow's schema beside the shadows."""

_FIRST: Final = """
INSERT INTO {shadow}.rebuild_record (read_models, made_by, holder, held_until)
VALUES ($1::text[], $2, $3, clock_timestamp() + $4::float8 * interval '1 second')
"""
_HELD: Final = """
SELECT read_models, made_by, holder, held_until, greatest(0, extract(epoch FROM held_until - clock_timestamp()))::float8
       AS left_s
  FROM {shadow}.rebuild_record
"""
_TAKE: Final = """
UPDATE {shadow}.rebuild_record SET holder = $1, held_until = clock_timestamp() + $2::float8 * interval '1 second'
 WHERE single IN (
   SELECT single FROM {shadow}.rebuild_record WHERE held_until <= clock_timestamp() FOR UPDATE SKIP LOCKED)
"""
_RELEASE: Final = "UPDATE {shadow}.rebuild_record SET held_until = clock_timestamp() WHERE holder = $1"

# Locked, so that nobody takes over while a piece is under way.
READ: Final = """
SELECT commands, mark, filled, whole, streams, events FROM rebuild_record WHERE holder = $1 FOR UPDATE
"""
_MOVE: Final = """
UPDATE rebuild_record
   SET held_until = clock_timestamp() + $2::float8 * interval '1 second',
       mark = $3, filled = $4, whole = $5, streams = streams + $6, events = events + $7
 WHERE holder = $1
"""
_BEGIN: Final = "UPDATE rebuild_record SET commands = $2, mark = $3 WHERE holder = $1"
_AGAIN: Final = """
UPDATE rebuild_record SET commands = NULL, mark = 0, filled = '', whole = false, streams = 0, events = 0
 WHERE holder = $1
"""

# Whoever writes the audit has this lock from before he takes an id until his commit. Nobody is held up by looking.
_WRITERS: Final = """
SELECT coalesce(array_agg(virtualtransaction), '{}') FROM pg_locks
 WHERE locktype = 'relation' AND relation = 'projection_audit'::regclass AND mode = 'RowExclusiveLock' AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND ($1::text[] IS NULL OR virtualtransaction = ANY ($1::text[]))
"""
_LOOK_S: Final = 0.01
_FENCE_S: Final = 10.0

NEWEST: Final = "SELECT coalesce(max(id), 0) FROM projection_audit"
COMMANDS: Final = f"SELECT xmin::text FROM tallies WHERE slot = {SLOT}"
"""Another version of the row, another text: a command was at work."""

TAKEN_OVER: Final = "another rebuild has taken this one over, for its lease had ended"


class OtherRebuild(Exception):
    """A rebuild is at work, or has taken over; the message says which. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who had the lease, and for how long still."""

    holder: str
    left_s: float
    until: datetime
    read_models: tuple[str, ...]
    made_by: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the shadow is. `filled`: the stream up to which it was filled once; `whole`: all were.

    `mark`: the audit's rows up to this id are in it. `commands`: see `COMMANDS`; None before anything is filled.
    """

    commands: str | None
    mark: int
    filled: str
    whole: bool
    streams: int
    events: int


@dataclass(frozen=True)
class Record:
    """The record of one rebuild, by `holder`; `lease_s` is how long its lease lasts after each piece."""

    schemas: Schemas
    holder: str
    lease_s: float

    def _sql(self, statement: str) -> str:
        return statement.format(shadow=self.schemas.shadow)

    async def held(self, connection: asyncpg.Connection) -> Held | None:
        """Who has the shadow, None where there is none. To be asked first, in a transaction that makes or takes it."""
        await connection.execute("SELECT pg_advisory_xact_lock($1)", TURN_TO_MAKE)
        if await connection.fetchval("SELECT to_regclass($1) IS NULL", f"{self.schemas.shadow}.rebuild_record"):
            return None
        row = await connection.fetchrow(self._sql(_HELD))
        return Held(row["holder"], row["left_s"], row["held_until"], tuple(row["read_models"]), row["made_by"])

    async def make(self, connection: asyncpg.Connection, read_models: tuple[str, ...], made_by: str) -> None:
        """Make the record in the shadow's schema, and hold it."""
        await connection.execute(self._sql(_MAKE))
        await connection.execute(self._sql(_FIRST), list(read_models), made_by, self.holder, self.lease_s)
        # So that the row of the commands is there.
        await connection.execute(TURN)

    async def take(self, connection: asyncpg.Connection) -> bool:
        """Hold what nobody holds any more. False where somebody does."""
        done: str = await connection.execute(self._sql(_TAKE), self.holder, self.lease_s)
        return done == "UPDATE 1"

    async def release(self, connection: asyncpg.Connection) -> None:
        """Let the next rebuild go on at once."""
        await connection.execute(self._sql(_RELEASE), self.holder)

    async def read(self, connection: asyncpg.Connection) -> Progress:
        """How far it is. To be asked first, with the shadow in the `search_path`. Raises OtherRebuild."""
        try:
            row = await connection.fetchrow(READ, self.holder)
        except asyncpg.UndefinedTableError:
            row = None
        if row is None:
            raise OtherRebuild(TAKEN_OVER)
        return Progress(**dict(row))

    async def move(
        self, connection: asyncpg.Connection, to: Progress, *, streams: int = 0, events: int = 0
    ) -> Progress:
        """Note how far it is in the piece's own transaction, and prolong the lease. Raises OtherRebuild."""
        done = await connection.execute(_MOVE, self.holder, self.lease_s, to.mark, to.filled, to.whole, streams, events)
        if done != "UPDATE 1":
            raise OtherRebuild(TAKEN_OVER)
        return replace(to, streams=to.streams + streams, events=to.events + events)

    async def fence(self, connection: asyncpg.Connection, tables: Sequence[Table]) -> tuple[Progress, int]:
        """How far it is, and up to which id of the audit nothing is under way any more. Raises StoreBusy.

        The shadow is emptied, to be filled again, where an operator's command was at work since it was begun.
        """
        progress = await self.read(connection)
        commands, newest = await connection.fetchval(COMMANDS), await connection.fetchval(NEWEST)
        await _until_done(connection)
        if progress.commands is not None and progress.commands != commands:
            names = ", ".join(f"{self.schemas.shadow}.{table.name}" for table in tables)
            await connection.execute(f"TRUNCATE {names}, rebuild_streams, rebuild_differences")
            await connection.execute(_AGAIN, self.holder)
            progress = await self.read(connection)
        if progress.commands is None:
            await connection.execute(_BEGIN, self.holder, commands, newest)
            progress = await self.read(connection)
        return progress, max(newest, progress.mark)


async def _until_done(connection: asyncpg.Connection) -> None:
    """Wait for the writers of the audit that are at work now, and for no others."""
    writers = await connection.fetchval(_WRITERS, None)
    until = time.monotonic() + _FENCE_S
    while writers:
        if time.monotonic() > until:
            raise StoreBusy(f"{len(writers)} transaction(s) that write the audit do not end")
        await asyncio.sleep(_LOOK_S)
        writers = await connection.fetchval(_WRITERS, writers)
