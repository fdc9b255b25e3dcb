"""`python -m bench.perf.programs.claims`: claim all pending streams and give them back; time each claim.

Without pending streams it times the empty claim.
"""

from __future__ import annotations

import argparse
import os
from datetime import timedelta
from time import perf_counter
from typing import Final

import uvloop

from bench.perf.programs.result import milliseconds, report
from eventstore.connection.database import Database
from eventstore.connection.planner import PROJECTOR
from projection.leases.streams import PostgresLeases

TTL: Final = timedelta(seconds=30)
WARM_UP: Final = 10


async def run(url: str, *, rounds: int, most: int) -> None:
    """Claim `rounds` times, and report."""
    async with Database(url, pool_size=1, application_name="perf claims", planner=PROJECTOR) as database:
        leases = PostgresLeases(database)
        times: list[float] = []
        claimed = 0
        for _ in range(rounds + WARM_UP):
            started = perf_counter()
            taken = await leases.claim("perf", limit=most, ttl=TTL)
            times.append(perf_counter() - started)
            claimed += len(taken)
            await leases.release(taken)
        report(claimed=claimed / (rounds + WARM_UP), **milliseconds(times[WARM_UP:]))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.perf.programs.claims", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--most", type=int, default=100)
    given = parser.parse_args()
    uvloop.run(run(os.environ["DATABASE_URL"], rounds=given.rounds, most=given.most))


if __name__ == "__main__":
    main()
