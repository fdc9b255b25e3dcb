"""Catch-up of the serial projection: on a store that is not empty, its cursor is walked to the end before a run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from bench.ends.errors import RunFailed
from bench.oracle.database import connect, run

WITHIN_S: Final = 120.0
POLL_S: Final = 0.1

CAUGHT_UP: Final = """
SELECT coalesce((SELECT max(position) FROM cursors), 0) >= coalesce((SELECT max(position) FROM events), 0)
"""

HALTED: Final = """
SELECT EXISTS (
  SELECT FROM cursors c LEFT JOIN streams s ON s.stream = c.stream
   WHERE c.blocked_at IS NOT NULL AND (s.projected < c.version) IS NOT FALSE
)
"""


def catch_up(url: str, check: Callable[[], None] = lambda: None) -> None:
    """Wait until the serial cursor has passed what was projected by leases of streams, or before it was there.

    Until then a serial run would also measure that walk. Returns at once when an event blocks it: the load generator
    says so, and why, before it begins. Raises RunFailed when it takes longer than two minutes, or whatever `check`,
    called again and again meanwhile, raises.
    """
    run(_catch_up(url, check))


async def _catch_up(url: str, check: Callable[[], None]) -> None:
    deadline = time.monotonic() + WITHIN_S
    connection = await connect(url)
    try:
        while not await connection.fetchval(CAUGHT_UP) and not await connection.fetchval(HALTED):
            check()
            if time.monotonic() > deadline:
                raise RunFailed("the serial projection did not catch up with the log before the run")
            await asyncio.sleep(POLL_S)
    finally:
        await connection.close()
