"""Checks by behaviour, where no setting tells: round trip to the server, its clock, its locks, its notifications."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import asyncpg

from eventstore.connection.pooler import Pooling
from eventstore.schema import ANNOUNCE_TAG
from metrics.records.doctor import Fact
from services.doctor.engines import LISTENING, LOCKS

Open = Callable[[], Awaitable[asyncpg.Connection]]

TIMES: Final = 20
SLOW_MS: Final = 10.0
APART_S: Final = 1.0
HEARD_WITHIN_S: Final = 1.0
CHANNEL: Final = "tidemark_doctor"
HELD: Final = ANNOUNCE_TAG << 48 | (1 << 48) - 2
"""An announcement at a position that no event will have, so it holds back no reader."""

SEEN: Final = f"""
SELECT count(*) > 0 FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 1 AND granted
   AND classid::bigint = {HELD >> 32} AND objid::bigint = {HELD & 0xFFFFFFFF}
"""

POOLERS: Final[dict[Pooling, Fact]] = {
    "none": Fact("pooler", "none"),
    "session": Fact("pooler", "session mode", "warning", "every round trip goes through it, and is measured with it"),
    "transaction": Fact(
        "pooler",
        "transaction mode",
        "warning",
        "statements are parsed anew each time; the planner's settings need `python -m migrations roles`",
    ),
}


async def round_trip(connection: asyncpg.Connection) -> Fact:
    """The median of some short statements."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await connection.execute("SELECT 1")
        took.append((time.perf_counter() - began) * 1000)
    median = statistics.median(took)
    slow = median > SLOW_MS
    note = "every write and every batch pays it: run nearer to the server" if slow else ""
    return Fact("round trip", f"{median:.2f} ms", "warning" if slow else "fine", note)


async def clock(connection: asyncpg.Connection) -> Fact:
    """How far the server's clock is ahead of this machine's."""
    before = datetime.now(UTC)
    there: datetime = await connection.fetchval("SELECT clock_timestamp()")
    after = datetime.now(UTC)
    ahead = (there - (before + (after - before) / 2)).total_seconds()
    far = abs(ahead) > APART_S
    note = "times of events and of this machine can not be compared: synchronize the clocks" if far else ""
    return Fact("clock", f"{ahead * 1000:+.0f} ms", "warning" if far else "fine", note)


async def announcements(connection: asyncpg.Connection, open: Open) -> Fact:
    """Whether one session's advisory lock shows in another's pg_locks, as the watermark needs."""
    other = await open()
    try:
        async with other.transaction():
            await other.execute(f"SELECT pg_advisory_xact_lock_shared({HELD})")
            seen = await connection.fetchval(SEEN)
    finally:
        other.terminate()
    note = "" if seen else "the global order can not be read here: use the parallel mode"
    return Fact(LOCKS, "seen" if seen else "hidden", "fine" if seen else "wrong", note)


async def notifications(connection: asyncpg.Connection, listen: Open, remedy: str) -> Fact:
    """Whether a notification comes back; `remedy` is what to do where none does."""
    heard = asyncio.Event()
    listener = await listen()
    try:
        await listener.add_listener(CHANNEL, lambda *_: heard.set())
        await connection.execute(f"NOTIFY {CHANNEL}")
        try:
            await asyncio.wait_for(heard.wait(), HEARD_WITHIN_S)
        except TimeoutError:
            note = f"projectors find work by looking (POLL_MS): {remedy}"
            return Fact(LISTENING, "not heard", "warning", note)
    finally:
        listener.terminate()
    return Fact(LISTENING, "heard")
