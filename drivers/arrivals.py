"""`python -m drivers.arrivals`: writes over HTTP at a rate that does not wait for the answers (open loop).

Arrivals are random, as those of many independent users are. A new todo is made as long as there are fewer than
`--todos`; after that a todo whose last write is answered is updated. Latency counts from the intended start.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
from collections import deque
from time import perf_counter
from typing import Final, cast
from urllib.parse import urlsplit

import uvloop

from drivers.result import milliseconds, report

CONNECTIONS: Final = 64
BODY: Final = b'{"text":"buy milk, bread and a newspaper"}'


class Connection(asyncio.Protocol):
    """One keep-alive connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) >= length and self._answer:
            self._received = rest[length:]
            self._answer.set_result((int(head[9:12]), rest[:length]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    async def write(self, method: bytes, path: bytes, host: bytes) -> tuple[int, bytes]:
        """Send one write; returns status and body."""
        assert self._transport
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(
            method + b" " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nContent-Type: application/json\r\n"
            b"Content-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
        )
        return await self._answer


class Load:
    """The arrivals, and what became of them."""

    def __init__(self, connections: list[Connection], host: bytes, todos: int) -> None:
        self._free = deque(connections)
        self._returned = asyncio.Event()
        self._host = host
        self._todos = todos
        self._made = 0
        self._idle: deque[bytes] = deque()
        self.times: list[float] = []
        self.refused = 0

    async def arrive(self, intended: float) -> None:
        """One write, begun as soon as a connection is free."""
        while not self._free:
            self._returned.clear()
            await self._returned.wait()
        connection = self._free.popleft()
        method, path = self._next()
        try:
            status, body = await connection.write(method, path, self._host)
        finally:
            self._free.append(connection)
            self._returned.set()
        self.times.append(perf_counter() - intended)
        if status not in (200, 201):
            self.refused += 1
            return
        start = body.find(b"todo-")
        self._idle.append(b"/todos/" + body[start : start + 37])

    def _next(self) -> tuple[bytes, bytes]:
        if self._made < self._todos or not self._idle:
            self._made += 1
            return b"POST", b"/todos"
        return b"PUT", self._idle.popleft()


async def run(base_url: str, *, rate: float, seconds: float, todos: int) -> None:
    """Send the arrivals, wait for their answers, and report."""
    address = urlsplit(base_url)
    loop = asyncio.get_running_loop()
    host, port = address.hostname or "", address.port or 80
    connections = [(await loop.create_connection(Connection, host, port))[1] for _ in range(CONNECTIONS)]
    load = Load(connections, address.netloc.encode(), todos)
    chance = random.Random(1)
    begun = intended = perf_counter()
    async with asyncio.TaskGroup() as arrivals:
        while intended - begun < seconds:
            intended += chance.expovariate(rate)
            if (wait := intended - perf_counter()) > 0:
                await asyncio.sleep(wait)
            arrivals.create_task(load.arrive(intended))
    elapsed = perf_counter() - begun
    report(per_s=len(load.times) / elapsed, refused=load.refused, **milliseconds(load.times))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m drivers.arrivals", description=__doc__)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--todos", type=int, default=1000)
    given = parser.parse_args()
    uvloop.run(run(os.environ["BASE_URL"], rate=given.rate, seconds=given.seconds, todos=given.todos))


if __name__ == "__main__":
    main()
