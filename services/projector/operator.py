"""What an operator can do about a blocked stream, or a blocked serial projection.

* `unblock`: try again, with all attempts. For an event whose cause has been mended.
* `skip`: pass over the stream's next event. It is never applied: the row keeps its text and takes the
  version, and the re-fold oracle will name the event as lost, because it is.
* `reset`: forget the stream's projection and project it again from its first event; for all streams it is a rebuild.

Each is one transaction. It waits for the batches under way on what it changes, and raises the lease's epoch, which
fences whoever holds it.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from eventstore.database import Database
from services.projector.modes import CURSOR

_FREE: Final = """
  attempts = 0, retry_at = NULL, blocked_at = NULL, error = NULL, holder = NULL, leased_until = NULL, epoch = epoch + 1
"""

# Locks come first, each in a statement of its own: so that the next one sees what the batch before it committed, and in
# the batches' order (cursor, then stream), so that nobody waits in a circle.
LOCK_CURSOR: Final = f"SELECT FROM cursors WHERE name = '{CURSOR}' FOR UPDATE"
LOCK_STREAM: Final = "SELECT FROM streams WHERE stream = $1 FOR UPDATE"

UNBLOCK: Final = f"UPDATE streams SET {_FREE} WHERE blocked_at IS NOT NULL AND ($1::text IS NULL OR stream = $1)"
UNBLOCK_CURSOR: Final = f"UPDATE cursors SET {_FREE} WHERE name = '{CURSOR}' AND blocked_at IS NOT NULL"

_RECORDED: Final = "(SELECT recorded_at FROM events e WHERE e.stream = streams.stream AND e.version = {version})"

SKIP: Final = f"""
WITH skipped AS (
  UPDATE streams SET projected = projected + 1, {_FREE}, pending_since =
         CASE WHEN projected + 1 < version THEN coalesce({_RECORDED.format(version="projected + 2")}, pending_since) END
   WHERE stream = $1 AND projected < version
  RETURNING stream, projected
),
passed AS (
  UPDATE todos t SET version = skipped.projected FROM skipped
   WHERE t.id = skipped.stream AND t.version = skipped.projected - 1
)
INSERT INTO tallies (slot, projected) SELECT 0, 1 FROM skipped
ON CONFLICT (slot) DO UPDATE SET projected = tallies.projected + 1
RETURNING slot
"""

_FORGOTTEN: Final = f"""
  UPDATE streams
     SET projected = 0, {_FREE}, pending_since = coalesce({_RECORDED.format(version=1)}, clock_timestamp())
"""

FORGET: Final = f"""
WITH old AS (
  SELECT stream, projected FROM streams WHERE stream = $1
),
removed AS (
  DELETE FROM todos WHERE id = $1 RETURNING deleted
),
uncounted AS (
  INSERT INTO todo_tallies (slot, todos, active) SELECT 0, -1, CASE WHEN deleted THEN 0 ELSE -1 END FROM removed
  ON CONFLICT (slot) DO UPDATE
     SET todos = todo_tallies.todos + excluded.todos, active = todo_tallies.active + excluded.active
),
unprojected AS (
  INSERT INTO tallies (slot, projected) SELECT 0, -projected FROM old
  ON CONFLICT (slot) DO UPDATE SET projected = tallies.projected + excluded.projected
),
unaudited AS (
  DELETE FROM projection_audit WHERE stream = $1
),
back AS (
  UPDATE cursors SET {_FREE}, position = least(position,
         (SELECT position - 1 FROM events WHERE stream = $1 ORDER BY version LIMIT 1))
   WHERE name = '{CURSOR}'
)
{_FORGOTTEN} WHERE stream = $1
RETURNING stream
"""

FORGET_ALL: Final = (
    # Appends and batches wait at the door until the rebuild has been set up.
    "LOCK TABLE streams IN EXCLUSIVE MODE",
    "TRUNCATE todos, todo_tallies, projection_audit",
    "UPDATE tallies SET projected = 0, projected_position = 0, projected_at = NULL",
    f"UPDATE cursors SET {_FREE}, position = 0 WHERE name = '{CURSOR}'",
    _FORGOTTEN,
)

BLOCKED: Final = """
SELECT EXISTS (SELECT FROM streams WHERE blocked_at IS NOT NULL)
    OR EXISTS (SELECT FROM cursors WHERE blocked_at IS NOT NULL)
"""


class UnknownStream(LookupError):
    """There is no such stream, or nothing of it to act on."""


async def unblock(database: Database, stream: str | None) -> int:
    """Unblock one stream, or all; the serial projection too. Returns how many were blocked.

    Raises UnknownStream when the one named is not blocked, and neither is the serial projection.
    """
    async with database.connection() as connection, connection.transaction():
        count = _rows(await connection.execute(UNBLOCK_CURSOR)) + _rows(await connection.execute(UNBLOCK, stream))
    if stream is not None and count == 0:
        raise UnknownStream(f"stream {stream!r} is not blocked")
    return count


async def skip(database: Database, stream: str) -> None:
    """Pass over the stream's next event, and unblock it. Raises UnknownStream when nothing is unprojected."""
    async with database.connection() as connection, connection.transaction():
        await connection.execute(UNBLOCK_CURSOR)
        await connection.execute(LOCK_STREAM, stream)
        if await connection.fetchval(SKIP, stream) is None:
            raise UnknownStream(f"stream {stream!r} has no unprojected event")


async def reset(database: Database, stream: str | None) -> None:
    """Project one stream, or all, again from the first event. Raises UnknownStream."""
    async with database.connection() as connection, connection.transaction():
        if stream is None:
            await _forget_all(connection)
            return
        await connection.execute(LOCK_CURSOR)
        await connection.execute(LOCK_STREAM, stream)
        if await connection.fetchval(FORGET, stream) is None:
            raise UnknownStream(f"there is no stream {stream!r}")


async def _forget_all(connection: asyncpg.Connection) -> None:
    for statement in FORGET_ALL:
        await connection.execute(statement)


def _rows(status: str) -> int:
    return int(status.rsplit(" ", 1)[-1])


async def anything_blocked(database: Database) -> bool:
    """True while any stream, or the serial projection, waits for an operator."""
    async with database.connection() as connection:
        return bool(await connection.fetchval(BLOCKED))
