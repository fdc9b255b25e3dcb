"""`python -m bench.perf.programs.insert`: one prepared INSERT after another on one connection: the cost of a commit.

The table has the columns, defaults and indexes of `events`, and none of its triggers.
"""

from __future__ import annotations

import argparse
import os
from time import perf_counter
from typing import Final

import asyncpg
import uvloop

from bench.perf.programs.result import milliseconds, report

TABLE: Final = "CREATE TABLE IF NOT EXISTS plain_events (LIKE events INCLUDING ALL)"
INSERT: Final = """
INSERT INTO plain_events (stream, version, type, data) VALUES ($1, $2, 'TodoUpdated', $3) RETURNING position
"""
DATA: Final = '{"text":"buy milk, bread and a newspaper"}'


async def run(url: str, *, seconds: float) -> None:
    """Insert for some seconds, and report."""
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    statement = await connection.prepare(INSERT)
    version = await connection.fetchval("SELECT coalesce(max(version), 0) FROM plain_events")
    times: list[float] = []
    begun = last = perf_counter()
    while last - begun < seconds:
        version += 1
        await statement.fetchval("hot", version, DATA)
        now = perf_counter()
        times.append(now - last)
        last = now
    await connection.close()
    report(events_per_s=len(times) / (last - begun), **milliseconds(times))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.perf.programs.insert", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    uvloop.run(run(os.environ["DATABASE_URL"], seconds=parser.parse_args().seconds))


if __name__ == "__main__":
    main()
