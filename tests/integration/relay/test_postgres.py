"""Postgres behind a relay: notifications alone are left out, and everything else is as without it."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from bench.faults.relay.relay import Relay
from bench.platforms.postgres.network import Network, Order
from tests.cluster import Cluster
from tests.integration.eventstore.waiting import BOUND_S

DEAF = Network(notifications=False)
MANY = "SELECT n, repeat(chr(65 + n % 26), n % 700) AS text FROM generate_series(1, 20000) AS n"


# With `prefer` the client asks for TLS first, and is answered by a byte that is no message.
@pytest.mark.parametrize("ssl", ["disable", "prefer"])
async def test_notifications_vanish_and_nothing_else_does(cluster: Cluster, ssl: str) -> None:
    direct = await asyncpg.connect(cluster.server.url())
    async with Relay.before(cluster.server.url()) as relay, asyncio.timeout(3 * BOUND_S):
        through = await asyncpg.connect(relay.url, ssl=ssl)
        told: asyncio.Queue[str] = asyncio.Queue()
        await through.add_listener("relayed", lambda *said: told.put_nowait(str(said[-1])))
        await direct.execute("NOTIFY relayed, 'one'")
        assert await told.get() == "one"

        relay.change(DEAF)
        for _ in range(3):
            await direct.execute("NOTIFY relayed, 'lost'")
        # One that it sends to itself comes between the answers to the statement.
        await through.execute("NOTIFY relayed, 'lost, too'")
        assert await through.fetch(MANY) == await direct.fetch(MANY)
        while relay.carry_out(Order()).notifications < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

        relay.change(Network())
        await direct.execute("NOTIFY relayed, 'two'")
        assert await told.get() == "two"
        assert told.empty()
        counted = relay.carry_out(Order())
        assert (counted.notifications, counted.unreadable) == (4, 0)
        await through.close()
    await direct.close()
