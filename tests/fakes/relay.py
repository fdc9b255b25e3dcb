"""A TCP relay in front of a server, whose connections can fall silent without being closed: half-open, as after a
failover of an address, or behind a firewall that forgot them.

Bytes that come while a connection is silent are lost, and it stays silent for good if any were: unlike TCP, the relay
repeats nothing. An end that comes meanwhile is passed on when the silence is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Self

from sqlalchemy.engine import make_url

CHUNK: Final = 65536


@dataclass(eq=False)
class Link:
    """One connection. `up` and `down` say whether bytes pass to the server, and to the client."""

    up: bool = True
    down: bool = True
    lost: bool = False
    healed: asyncio.Event = field(default_factory=asyncio.Event)
    client: asyncio.StreamWriter | None = None

    def silence(self, *, up: bool, down: bool) -> None:
        """Let nothing pass in these directions."""
        self.up = self.up and not up
        self.down = self.down and not down
        self.healed.clear()

    def heal(self) -> None:
        """Let all pass again, unless something was lost."""
        self.up = self.down = not self.lost
        self.healed.set()


@dataclass
class Relay:
    """Passes bytes to and from `host:port`; `url` is the relay's own address, else as the server's.

    `accepted` counts all connections ever made through it.
    """

    host: str
    port: int
    latency: float = 0.0
    accepted: int = 0
    url: str = ""
    links: set[Link] = field(default_factory=set)
    _fresh: Link | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    @asynccontextmanager
    async def before(cls, url: str) -> AsyncIterator[Self]:
        """A relay before the Postgres of a URL, gone with all its connections at the end of the block."""
        target = make_url(url)
        assert target.host is not None
        assert target.port is not None
        relay = cls(target.host, target.port)
        server = await asyncio.start_server(relay._accept, "127.0.0.1", 0)
        own = target.set(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        relay.url = own.render_as_string(hide_password=False)
        try:
            yield relay
        finally:
            server.close()
            for task in relay._tasks:
                task.cancel()
            await asyncio.gather(*relay._tasks, return_exceptions=True)

    def silence(self, *, up: bool = True, down: bool = True, fresh: bool = False) -> None:
        """Silence all connections that there are; with `fresh`, those that are made from now on, too."""
        for link in self.links:
            link.silence(up=up, down=down)
        if fresh:
            self._fresh = Link(up=not up, down=not down)

    def tell(self, message: bytes) -> None:
        """Say something to all clients in the server's name."""
        for link in self.links:
            assert link.client is not None
            link.client.write(message)

    def heal(self) -> None:
        """Let bytes pass again, but on connections that have lost some."""
        self._fresh = None
        for link in self.links:
            link.heal()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        link = Link(up=self._fresh.up, down=self._fresh.down) if self._fresh else Link()
        link.client = writer
        self.links.add(link)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # What ends a connection is its own affair; the server of asyncio takes no cancellation.
            with suppress(asyncio.CancelledError):
                await self._relay(link, reader, writer)
        finally:
            self._tasks.discard(task)
            self.links.discard(link)
            writer.transport.abort()

    async def _relay(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upward, downward = await asyncio.open_connection(self.host, self.port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(link, "up", reader, downward))
                both.create_task(self._pass_on(link, "down", upward, writer))
        finally:
            downward.transport.abort()

    async def _pass_on(self, link: Link, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if self.latency:
                    await asyncio.sleep(self.latency)
                if getattr(link, way):
                    writer.write(data)
                    await writer.drain()
                else:
                    link.lost = True
        if not getattr(link, way):
            await link.healed.wait()
        with suppress(OSError):
            writer.write_eof()
