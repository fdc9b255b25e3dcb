"""Row locks of every command, in the batches' order, and what it leaves of their leases and blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import asyncpg

from projection.leases.claimable import HALTED
from projection.leases.cursors import CURSOR
from projection.operator.refusals import UnknownStream

SLOT: Final = -1
"""The tally row of the commands: no process counts there, so that nobody waits for a command's transaction."""

ANEW: Final = "attempts = 0, retry_at = NULL, blocked_at = NULL, error = NULL, epoch = epoch + 1"
FREE: Final = f"{ANEW}, holder = NULL, leased_until = NULL"
FREE_CURSOR: Final = f"{FREE}, stream = NULL, version = NULL"

UNBLOCK_CURSOR: Final = f"UPDATE cursors SET {FREE_CURSOR} WHERE name = '{CURSOR}'"

# Locks come first, each in a statement of its own: so that the next one sees what the batch before it committed, and in
# the batches' order (cursor, then streams by name), so that nobody waits in a circle.
LOCK_CURSOR: Final = f"""
SELECT {HALTED} AS halted, c.stream, c.version, c.attempts, c.error FROM cursors c WHERE c.name = '{CURSOR}' FOR UPDATE
"""
LOCK_STREAM: Final = """
SELECT blocked_at IS NOT NULL AS blocked, version, projected, attempts, error FROM streams WHERE stream = $1 FOR UPDATE
"""

RECORDED: Final = "(SELECT recorded_at FROM events e WHERE e.stream = streams.stream AND e.version = {version})"


@dataclass(frozen=True, slots=True)
class Failed:
    """An event at which something is blocked, and after how many attempts."""

    stream: str | None
    version: int | None
    attempts: int
    error: str | None

    def __str__(self) -> str:
        if self.stream is None:
            return "an event that was not recorded (`unblock --all` takes it along)"
        return f"stream {self.stream!r}, version {self.version}"


@dataclass(frozen=True, slots=True)
class Rows:
    """What is locked: the event that blocks the serial projection, the stream's row, the event that blocks it."""

    halted: Failed | None
    head: int
    projected: int
    blocked: Failed | None

    def refusal(self, stream: str) -> UnknownStream:
        """Why there is nothing to unblock or to skip."""
        if self.halted is None:
            return UnknownStream(f"stream {stream!r} is not blocked, and neither is the serial projection")
        return UnknownStream(
            f"stream {stream!r} is not blocked, and does not block the serial projection, which waits at {self.halted}"
        )

    def halts(self, stream: str) -> bool:
        """True when the serial projection is blocked at an event of this stream."""
        return self.halted is not None and self.halted.stream == stream


async def lock_cursor(connection: asyncpg.Connection) -> Failed | None:
    """Lock the serial cursor. Returns the event that blocks it."""
    row = await connection.fetchrow(LOCK_CURSOR)
    if row is None or not row["halted"]:
        return None
    return Failed(row["stream"], row["version"], row["attempts"], row["error"])


async def lock(connection: asyncpg.Connection, stream: str) -> Rows:
    """Lock the serial cursor and one stream. Raises UnknownStream when there is no such stream."""
    halted = await lock_cursor(connection)
    row = await connection.fetchrow(LOCK_STREAM, stream)
    if row is None:
        raise UnknownStream(f"there is no stream {stream!r}")
    failed = Failed(stream, row["projected"] + 1, row["attempts"], row["error"]) if row["blocked"] else None
    return Rows(halted, row["version"], row["projected"], failed)
