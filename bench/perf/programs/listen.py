"""`python -m bench.perf.programs.listen`: from the sending of a NOTIFY on one connection to its arrival on another.

It is what the fastest possible wake-up costs. The pauses between are those of an idle system.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from time import perf_counter

import asyncpg
import uvloop

from bench.perf.programs.result import milliseconds, report


async def run(url: str, *, rounds: int, pause: float) -> None:
    """Send and receive `rounds` notifications, and report."""
    sender, receiver = await asyncpg.connect(url), await asyncpg.connect(url)
    arrived = asyncio.Event()
    await receiver.add_listener("perf_wake", lambda *_: arrived.set())
    times: list[float] = []
    for _ in range(rounds):
        arrived.clear()
        started = perf_counter()
        await sender.execute("NOTIFY perf_wake")
        await arrived.wait()
        times.append(perf_counter() - started)
        await asyncio.sleep(pause)
    await sender.close()
    await receiver.close()
    report(**milliseconds(times))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.perf.programs.listen", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.02)
    given = parser.parse_args()
    uvloop.run(run(os.environ["DATABASE_URL"], rounds=given.rounds, pause=given.pause))


if __name__ == "__main__":
    main()
