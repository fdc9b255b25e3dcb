"""`python -m bench.perf.programs.arrivals`: writes over HTTP at a rate that does not wait for the answers (open loop).

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
from typing import Final

import uvloop

from bench.perf.programs.connection import Connection, connect
from bench.perf.programs.result import milliseconds, report

CONNECTIONS: Final = 64


class Load:
    """The arrivals, and what became of them."""

    def __init__(self, connections: list[Connection], todos: int) -> None:
        self._free = deque(connections)
        self._returned = asyncio.Event()
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
            status, body = await connection.send(method, path)
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
    load = Load(await connect(base_url, CONNECTIONS), todos)
    chance = random.Random(1)
    begun = intended = perf_counter()
    async with asyncio.TaskGroup() as arrivals:
        while intended - begun < seconds:
            intended += chance.expovariate(rate)
            if (wait := intended - perf_counter()) > 0:
                await asyncio.sleep(wait)
            arrivals.create_task(load.arrive(intended))
    elapsed = perf_counter() - begun
    answered = len(load.times)
    report(written=answered - load.refused, per_s=answered / elapsed, refused=load.refused, **milliseconds(load.times))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.perf.programs.arrivals", description=__doc__)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--todos", type=int, default=1000)
    given = parser.parse_args()
    uvloop.run(run(os.environ["BASE_URL"], rate=given.rate, seconds=given.seconds, todos=given.todos))


if __name__ == "__main__":
    main()
