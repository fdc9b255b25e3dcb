"""A TCP proxy on asyncio: passes bytes between clients and one server, and does to them what it is told.

At rest it passes everything as it comes, half-closes and resets included, and loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self
from urllib.parse import urlsplit

from bench.faults.relay.connection import Connection, Shared
from bench.platforms.postgres.network import HOST, Ending, Network, Order, Told, at_port

BACKLOG: Final = 1024
"""Connections that may wait to be accepted."""


class Relay:
    """A relay on a free port of `host`, before the server of `url`; `url` is then the way through it.

    `connections` are those that there are, `accepted` counts all that there ever were, `ended` those that it ended.
    """

    def __init__(self, url: str, *, seed: int = 0) -> None:
        server = urlsplit(url)
        self.url = url
        self.port = 0
        self.network = Network()
        self.connections: Final[set[Connection]] = set()
        self.accepted = self.ended = 0
        self._half_open = 0
        self._well: asyncio.TimerHandle | None = None
        self._unused: Final = asyncio.Event()
        self._unused.set()
        self._shared: Final = Shared((str(server.hostname), int(server.port or 0)), seed)

    @classmethod
    @asynccontextmanager
    async def before(cls, url: str, *, seed: int = 0, host: str = HOST) -> AsyncIterator[Self]:
        """It listens until the end of the block, and is gone then with all its connections. Raises OSError."""
        relay = cls(url, seed=seed)
        listening = await asyncio.get_running_loop().create_server(relay._accept, host, 0, backlog=BACKLOG)
        relay.port = int(listening.sockets[0].getsockname()[1])
        relay.url = at_port(url, relay.port, host)
        try:
            yield relay
        finally:
            listening.close()
            relay.change(Network())
            relay.end("cut")
            await relay.unused()

    def carry_out(self, order: Order) -> Told:
        """Do what the order says, and tell what was counted."""
        open_, under_way = len(self.connections), sum(one.under_way for one in self.connections)
        if order.network is not None:
            self.change(order.network)
            self._half_open = 0
        if order.network is not None and order.lasts_s:
            self._well = asyncio.get_running_loop().call_later(order.lasts_s, self.change, Network())
        if order.end is not None:
            self.end(order.end)
        up, down = self._shared.up, self._shared.down
        return Told(
            open=open_,
            under_way=under_way,
            half_open=self._seen_half_open(),
            port=self.port,
            accepted=self.accepted,
            ended=self.ended,
            unreadable=sum(not one.readable for one in self.connections),
            passed=up.passed + down.passed,
            delayed=up.delayed + down.delayed,
            swallowed_up=up.swallowed,
            swallowed_down=down.swallowed,
            notifications=self._shared.notifications,
        )

    def change(self, network: Network) -> None:
        """From now on the network is so, for all connections that there are, and for new ones if it says so."""
        self._seen_half_open()
        if self._well is not None:
            self._well.cancel()
        self.network = network if network.fresh else Network()
        for connection in list(self.connections):
            connection.change(network)

    def end(self, how: Ending) -> None:
        """End all connections that there are."""
        self.ended += len(self.connections)
        for connection in list(self.connections):
            connection.end(how)

    async def unused(self) -> None:
        """Wait until no connection is left."""
        await self._unused.wait()

    def _seen_half_open(self) -> int:
        self._half_open = max(self._half_open, sum(one.half_open for one in self.connections))
        return self._half_open

    def _accept(self) -> asyncio.Protocol:
        self.accepted += 1
        connection = Connection(self._shared, self.network, self.accepted, self._gone)
        self.connections.add(connection)
        self._unused.clear()
        return connection.client

    def _gone(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self._unused.set()
