"""Plain sockets on both sides of a relay."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Self

from bench.faults.relay.relay import Relay
from bench.platforms.postgres.network import Order, Told

BOUND_S: Final = 20.0
CHUNK: Final = 65_536


class Place:
    """A server that answers nothing by itself, and a relay before it. All sockets are closed at the end."""

    def __init__(self, relay: Relay, listening: socket.socket) -> None:
        self.relay: Final = relay
        self.listening: Final = listening
        self._opened: Final[list[socket.socket]] = []

    @classmethod
    @asynccontextmanager
    async def made(cls) -> AsyncIterator[Self]:
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
            listening.setblocking(False)
            async with Relay.before(f"tcp://127.0.0.1:{listening.getsockname()[1]}", seed=1) as relay:
                place = cls(relay, listening)
                try:
                    yield place
                finally:
                    for one in place._opened:
                        one.close()

    async def client(self) -> socket.socket:
        """A client's socket, connected to the relay."""
        client = socket.socket()
        self._opened.append(client)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self.relay.port))
        return client

    async def server(self) -> socket.socket:
        """The server's socket of the next connection that the relay has passed on."""
        async with asyncio.timeout(BOUND_S):
            server, _ = await asyncio.get_running_loop().sock_accept(self.listening)
        self._opened.append(server)
        return server

    async def pair(self) -> tuple[socket.socket, socket.socket]:
        """Both ends of a new connection, over which a byte has passed each way."""
        client = await self.client()
        await say(client, b"?")
        server = await self.server()
        assert await heard(server, 1) == b"?"
        await say(server, b"!")
        assert await heard(client, 1) == b"!"
        return client, server

    def told(self) -> Told:
        """What the relay has counted."""
        return self.relay.carry_out(Order())

    async def until(self, condition: Callable[[Told], bool]) -> None:
        """Wait until the relay has counted it."""
        async with asyncio.timeout(BOUND_S):
            while not condition(self.told()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)


async def say(end: socket.socket, data: bytes) -> None:
    """Send all of it."""
    async with asyncio.timeout(BOUND_S):
        await asyncio.get_running_loop().sock_sendall(end, data)


async def heard(end: socket.socket, size: int) -> bytes:
    """So many bytes, or what came until the end. Raises ConnectionError."""
    found = bytearray()
    async with asyncio.timeout(BOUND_S):
        while len(found) < size:
            part = await asyncio.get_running_loop().sock_recv(end, min(CHUNK, size - len(found)))
            if not part:
                break
            found += part
    return bytes(found)


async def ended(end: socket.socket) -> bool:
    """Wait for its end: True for one in order, False for a reset."""
    try:
        return await heard(end, 1) == b""
    except ConnectionResetError:
        return False


def nothing_came(end: socket.socket) -> bool:
    """Whether there is neither a byte nor an end to be read now."""
    with suppress(BlockingIOError):
        end.recv(1)
        return False
    return True


def reset(end: socket.socket) -> None:
    """Close it so that the other side is told of a reset."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()
