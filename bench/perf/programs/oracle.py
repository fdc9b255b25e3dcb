"""`python -m bench.perf.programs.oracle`: judge a store once; tell its seconds and its largest resident set."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from typing import Final

from bench.oracle.verify import verify
from bench.perf.programs.result import report

UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in which the system counts a resident set."""


async def run(url: str) -> None:
    """Judge, and report."""
    verification, _ = await verify(url, complete=True, serial=False)
    found = verification.correctness
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT / 1e6
    report(seconds=verification.seconds, events=found.events_checked, faults=found.faults, memory=memory)


if __name__ == "__main__":
    asyncio.run(run(os.environ["DATABASE_URL"]))
