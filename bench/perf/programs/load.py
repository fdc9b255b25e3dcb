"""`python -m bench.perf.programs.load actions | reads`: a closed loop of requests, where wrk is missing.

`actions`: 40 % creates, 30 % updates, 30 % deletes; a todo is taken out of the list while a request for it is under
way, so none is refused. `reads`: todos chosen by chance from the file that IDS names.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
from pathlib import Path
from time import perf_counter
from typing import Final

import uvloop

from bench.perf.programs.connection import Connection, connect
from bench.perf.programs.result import milliseconds, report

Request = tuple[bytes, bytes]


class Actions:
    """The next action, and what is known of the todos."""

    def __init__(self) -> None:
        self._chance: Final = random.Random(1)
        self._paths: Final[list[bytes]] = []

    def next(self) -> Request:
        """A method and a path."""
        chance = self._chance.random()
        if chance < 0.4 or not self._paths:
            return b"POST", b"/todos"
        at = self._chance.randrange(len(self._paths))
        path, self._paths[at] = self._paths[at], self._paths[-1]
        self._paths.pop()
        return (b"PUT" if chance < 0.7 else b"DELETE"), path

    def answered(self, body: bytes) -> None:
        """A todo that was created or updated may be chosen again."""
        start = body.find(b"todo-")
        if start >= 0:
            self._paths.append(b"/todos/" + body[start : start + 37])

    def refused(self, path: bytes) -> None:
        """A todo whose request was not carried out may be chosen again."""
        if path != b"/todos":
            self._paths.append(path)


class Reads:
    """The next read."""

    def __init__(self, ids: Path) -> None:
        self._chance: Final = random.Random(1)
        self._paths: Final = [b"/todos/" + id for id in ids.read_bytes().split()]

    def next(self) -> Request:
        """A method and a path."""
        return b"GET", self._chance.choice(self._paths)

    def answered(self, body: bytes) -> None:
        """Nothing is learned."""


async def run(base_url: str, kind: Actions | Reads, *, connections: int, seconds: float) -> None:
    """Load the server, and report."""
    times: list[float] = []
    refused = 0
    begun = perf_counter()

    async def client(connection: Connection) -> None:
        nonlocal refused
        while (started := perf_counter()) < begun + seconds:
            status, body = await connection.send(*kind.next())
            times.append(perf_counter() - started)
            if status >= 400:
                refused += 1
            else:
                kind.answered(body)

    opened = await connect(base_url, connections)
    begun = perf_counter()
    await asyncio.gather(*(client(connection) for connection in opened))
    found = milliseconds(times)
    report(
        requests=len(times),
        seconds=perf_counter() - begun,
        refused=refused,
        errors=0,
        p50_ms=found["p50"],
        p99_ms=found["p99"],
    )


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.perf.programs.load", description=__doc__)
    parser.add_argument("kind", choices=["actions", "reads"])
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    given = parser.parse_args()
    kind = Actions() if given.kind == "actions" else Reads(Path(os.environ["IDS"]))
    uvloop.run(run(os.environ["BASE_URL"], kind, connections=given.connections, seconds=given.seconds))


if __name__ == "__main__":
    main()
