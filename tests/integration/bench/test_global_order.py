"""Before a serial run the cursor's walk is waited for, but not for a cursor that an event blocks."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from bench.preflight.global_order import catch_up
from tests.cluster import Cluster

BEHIND = """
INSERT INTO events (stream, version, type, data) VALUES ('t', 1, 'TodoCreated', '{}');
INSERT INTO streams (stream, version, pending_since) VALUES ('t', 1, now());
INSERT INTO cursors (name) VALUES ('todos');
"""
BLOCKED = "UPDATE cursors SET blocked_at = now(), stream = 't', version = 1"
PROJECTED = "UPDATE streams SET projected = 1, pending_since = NULL"


class StillWaiting(Exception):
    """The wait goes on."""


class Patience:
    """Lets the wait look a few times."""

    def __init__(self) -> None:
        self.left = 5

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise StillWaiting


@pytest.mark.parametrize(
    ("statements", "waits"),
    [
        ([BEHIND], True),
        ([BEHIND, BLOCKED], False),
        ([BEHIND, "UPDATE cursors SET blocked_at = now()"], False),
        ([BEHIND, BLOCKED, PROJECTED], True),
        ([BEHIND, "UPDATE cursors SET position = 1"], False),
    ],
    ids=["behind", "blocked", "blocked at an unknown event", "blocked at what took effect since", "caught up"],
)
async def test_a_blocked_cursor_is_not_waited_for(cluster: Cluster, statements: list[str], waits: bool) -> None:
    async with cluster.database() as url:
        connection = await asyncpg.connect(url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()
        look = asyncio.to_thread(catch_up, url, Patience())
        if waits:
            with pytest.raises(StillWaiting):
                await look
        else:
            await look
