"""`python -m bench.perf.programs.append`: append one event at a time from `--writers` tasks, by the store's API.

A writer takes a stream that nobody else is writing. All acknowledged events are counted in the store at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
from collections import deque
from time import perf_counter
from typing import Final

import uvloop
from sqlalchemy import text

from bench.perf.programs.result import milliseconds, report
from eventstore.connection.database import Database, Statement
from eventstore.events import ExpectedVersion, NewEvent
from eventstore.postgres import PostgresEventStore

COUNT: Final = Statement(text("SELECT count(*) AS events FROM events WHERE stream LIKE 'perf-%'"))


class Load:
    """Streams at their versions, and what became of the appends. Times are kept from `counting` on."""

    def __init__(self, store: PostgresEventStore, streams: int) -> None:
        self._store = store
        # Names that no other load has, so a store may be loaded again.
        run = secrets.token_hex(4)
        self._idle = deque((f"perf-{run}-{n}", 0) for n in range(streams))
        self.appended = 0
        self.times: list[float] = []
        self.counting = False
        self.stopping = False

    async def write(self) -> None:
        """Append, again and again."""
        text = {"text": "buy milk, bread and a newspaper"}
        created, updated = NewEvent("TodoCreated", text), NewEvent("TodoUpdated", text)
        while not self.stopping:
            stream, version = self._idle.popleft()
            started = perf_counter()
            event = updated if version else created
            appended = await self._store.append(stream, [event], expected=ExpectedVersion(version))
            if self.counting:
                self.times.append(perf_counter() - started)
            self.appended += 1
            self._idle.append((stream, appended.version))


async def run(url: str, *, writers: int, streams: int, seconds: float) -> None:
    """Load the store and report. Raises RuntimeError when the store does not hold what was acknowledged."""
    async with Database(url, application_name="perf append") as database:
        store = PostgresEventStore(database)
        load = Load(store, streams)
        before = (await database.fetch(COUNT))[0]["events"]
        tasks = [asyncio.create_task(load.write()) for _ in range(writers)]
        await asyncio.sleep(min(1.0, seconds / 4))
        load.counting, started = True, perf_counter()
        await asyncio.sleep(seconds)
        load.counting, elapsed = False, perf_counter() - started
        load.stopping = True
        await asyncio.gather(*tasks)
        await store.close()
        stored = (await database.fetch(COUNT))[0]["events"] - before
        if stored != load.appended:
            raise RuntimeError(f"{load.appended} appends were acknowledged, {stored} events are stored")
        sent = sum(store.statements.values())
        shares = {name: store.statements.get(name, 0) / sent for name in ("single", "batched")}
        report(events_per_s=len(load.times) / elapsed, events=load.appended, **milliseconds(load.times), **shares)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.perf.programs.append", description=__doc__)
    parser.add_argument("--writers", type=int, default=64)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5)
    given = parser.parse_args()
    job = run(os.environ["DATABASE_URL"], writers=given.writers, streams=given.streams, seconds=given.seconds)
    uvloop.run(job)


if __name__ == "__main__":
    main()
