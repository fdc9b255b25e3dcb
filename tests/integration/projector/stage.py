"""A database with a projection on it: append events, run projectors to named moments, ask the oracle."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Self

import asyncpg
import pytest

from bench.oracle.verify import verify
from eventstore.connection.database import Database
from eventstore.errors import TimeLimit
from eventstore.events import ExpectedVersion, NewEvent
from eventstore.postgres import PostgresEventStore
from eventstore.soundness.check import Check
from eventstore.soundness.findings import Finding
from metrics.records.verification import Verification
from projection.hooks import Hook
from projection.operator import Steps
from projection.ordering.global_order import GlobalOrder
from projection.ordering.stream_leases import StreamLeases
from projection.stats import ProjectorStats, Stats, read_stats
from projection.strategy import OrderingStrategy, Tools
from services.projector.read_models import handler, load
from services.projector.settings import Settings
from services.projector.worker import Worker
from tests.cluster import PATIENT, as_role
from tests.emptied import empty
from tests.looks import LONGEST_S, between_looks

PATIENCE_S: Final = 20.0
Make = Callable[[Tools], OrderingStrategy]

CREATED: Final = NewEvent("TodoCreated", {"text": "milk"})
UPDATED: Final = NewEvent("TodoUpdated", {"text": "bread"})
DELETED: Final = NewEvent("TodoDeleted", {})
POISON: Final = NewEvent("TodoUpdated", {"text": 7})


CAUGHT_UP: Final = "SELECT coalesce(sum(events) = sum(projected), true) FROM tallies"
HOLD: Final = """
CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$
"""


class Unchecked(Check):
    """What a mutant rests on: nothing, so that the oracle has the word."""

    def __init__(self) -> None:
        super().__init__({})

    async def findings(self, connection: asyncpg.Connection) -> tuple[Finding, ...]:
        """Nothing is ever found."""
        return ()


def leased(serial: bool) -> Make:
    """Projectors that hold leases, also where the handler costs nothing."""
    return GlobalOrder if serial else StreamLeases


class Moments:
    """A hook that counts the moments, and stops the worker at one of them until `open` is set."""

    def __init__(self, stop_at: str | None = None) -> None:
        self.seen: Counter[str] = Counter()
        self.reached: Final = asyncio.Event()
        self.open: Final = asyncio.Event()
        self._stop_at = stop_at
        self._news = asyncio.Condition()

    async def __call__(self, moment: str) -> None:
        async with self._news:
            self.seen[moment] += 1
            self._news.notify_all()
        if moment == self._stop_at and not self.reached.is_set():
            self.reached.set()
            await self.open.wait()

    def wait(self, moment: str, times: int = 1) -> Awaitable[None]:
        """To be awaited until the moment has come `times` times more, counted from this call."""
        return self._wait(moment, self.seen[moment] + times)

    async def _wait(self, moment: str, wanted: int) -> None:
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: self.seen[moment] >= wanted)


async def until(
    condition: Callable[[], Awaitable[bool]], what: str, *, within_s: float = PATIENCE_S, every_s: float = LONGEST_S
) -> None:
    """Ask again and again, `every_s` seconds at the most; fails after `within_s` with what was awaited."""
    pauses = between_looks(every_s)
    try:
        async with asyncio.timeout(within_s):
            # Another process makes it true, so there is no event to wait for.
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(next(pauses))
    except TimeoutError:
        raise AssertionError(f"still waiting for {what}") from None


@asynccontextmanager
async def frozen(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[float]]:
    """Stop the event loop's clock at the one value of the list; the test moves it by hand."""
    clock = [asyncio.get_running_loop().time()]
    with monkeypatch.context() as patch:
        patch.setattr(asyncio.get_running_loop(), "time", lambda: clock[0])
        yield clock


@dataclass
class Projector:
    """A worker in this process, with connections of its own, under way in `task`."""

    worker: Worker
    task: asyncio.Task[None]
    name: str

    async def stop(self) -> None:
        """Let it finish, and give everything back."""
        self.worker.stop()
        await asyncio.wait_for(self.task, PATIENCE_S)


@dataclass
class Stage:
    """One migrated database, a store on it, and as many projectors as a test starts."""

    url: str
    database: Database
    store: PostgresEventStore
    steps: Steps
    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    names: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    check: Check | None = None
    read_models: tuple[str, ...] = ("todos",)

    @classmethod
    @asynccontextmanager
    async def on(cls, url: str, *, read_models: tuple[str, ...] = ("todos",)) -> AsyncIterator[Self]:
        """The stage on a migrated database, emptied first: that takes a tenth of what a new database takes."""
        async with Database(url, pool_size=4, bounds=PATIENT) as database:
            await empty(database)
            store = PostgresEventStore(database)
            role = as_role("operator", url)
            # Not started: it connects where a test takes a step, and few do.
            operator = Database(role, pool_size=2, application_name="operator", bounds=PATIENT)
            yield cls(url, database, store, Steps(operator, load(read_models)), read_models=read_models)
            await operator.close()
            await store.close()

    async def append(self, stream: str, *events: NewEvent) -> None:
        """Append at the end of the stream, whatever the events are: the store does not judge them."""
        expected = ExpectedVersion(self.versions[stream])
        async with asyncio.timeout(PATIENCE_S):
            # A limit that the test sets for the projectors is met on a busy machine by the test's own append, too.
            while not await self._appended(stream, events, expected):
                pass
        self.versions[stream] += len(events)

    async def _appended(self, stream: str, events: Sequence[NewEvent], expected: ExpectedVersion) -> bool:
        """False when a time limit of the server ended it: then nothing was written."""
        try:
            await self.store.append(stream, events, expected=expected)
        except TimeLimit:
            return False
        return True

    async def sql(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run one statement by hand, and return its rows."""
        async with self.database.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return rows

    async def value(self, statement: str, *arguments: Any) -> Any:
        """The first column of the first row."""
        rows = await self.sql(statement, *arguments)
        return rows[0][0] if rows else None

    def settings(self, **changes: Any) -> Settings:
        """Settings of a projector with a name of its own. Its lease outlasts a test, so that only a test ends it.

        `serial` is short for the strategy of that mode; parallel mode is by locks where the handler costs nothing.
        """
        locks = not changes.get("handler_latency")
        in_parallel = "stream-locks" if locks else "stream-leases"
        usual: dict[str, Any] = {
            "strategy": "global-order" if changes.pop("serial", False) else in_parallel,
            "name": f"projector-{next(self.names)}",
            "lease": timedelta(minutes=5),
            "poll": 0.02,
            "linger": 0.0,
            "attempts": 2,
            "read_models": self.read_models,
            "bounds": PATIENT,
        }
        return Settings(database_url=self.url, **{**usual, **changes})

    @asynccontextmanager
    async def prepared(
        self,
        *,
        once: bool = False,
        hook: Hook | None = None,
        make: Make | None = None,
        check: Check | None = None,
        **settings: Any,
    ) -> AsyncIterator[Worker]:
        """A worker that is not started. `make` replaces the way in which it works, `check` what it rests on."""
        made = self.settings(**settings)
        hook = hook or Moments()
        role = as_role("projector", self.url)
        async with Database(role, pool_size=3, application_name=made.name, bounds=made.bounds) as database:
            worker = Worker(made, database, once=once, hook=hook, check=check or self.check)
            if make:
                worker.strategy = make(Tools(database, made, 1, handler(made), hook))
            yield worker

    async def catch_up(self, **options: Any) -> None:
        """Run a projector until nothing is left to do."""
        async with self.prepared(once=True, **options) as worker, asyncio.timeout(PATIENCE_S):
            await worker.run()

    @asynccontextmanager
    async def projector(self, **options: Any) -> AsyncIterator[Projector]:
        """A projector at work, stopped at the end of the block."""
        name = options.setdefault("name", f"projector-{next(self.names)}")
        async with AsyncExitStack() as stack:
            worker = await stack.enter_async_context(self.prepared(**options))
            task = asyncio.create_task(worker.run())
            running = Projector(worker, task, name)
            try:
                yield running
            finally:
                if not task.done():
                    await running.stop()
        await task

    async def pass_time(self) -> None:
        """Let all leases of this moment end, and all back-offs."""
        for table in ("streams", "cursors"):
            await self.sql(
                f"UPDATE {table} SET leased_until = clock_timestamp() - interval '1 ms' WHERE holder IS NOT NULL"
            )
            await self.sql(f"UPDATE {table} SET retry_at = clock_timestamp() WHERE retry_at IS NOT NULL")

    async def invert(self, stream: str) -> None:
        """Exchange the places of the stream's first two events in the global order, as no writer of the store can."""
        await self.sql("UPDATE events SET version = 13 - version WHERE stream = $1 AND version < 3", stream)
        await self.sql(
            """
            UPDATE events
               SET version = version - 10, type = CASE version WHEN 11 THEN 'TodoCreated' ELSE 'TodoUpdated' END
             WHERE stream = $1 AND version > 10
            """,
            stream,
        )

    async def put_back(self, table: str) -> None:
        """Insert the events of a table with the positions they had, as nobody may but a superuser who means it."""
        async with self.database.connection() as connection, connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(f"INSERT INTO events OVERRIDING SYSTEM VALUE SELECT * FROM {table}")

    @asynccontextmanager
    async def batches_held_back(self) -> AsyncIterator[None]:
        """Until the block ends, batches wait inside their statement, with everything written and nothing committed."""
        await self.sql(HOLD)
        await self.sql("CREATE TRIGGER hold AFTER INSERT ON projection_audit EXECUTE FUNCTION hold()")
        holder = await asyncpg.connect(self.url)
        try:
            await holder.execute("SELECT pg_advisory_lock(1)")
            yield
        finally:
            await holder.close()
            await self.sql("DROP TRIGGER hold ON projection_audit")

    async def waiting(self, times: int = 1) -> bool:
        """True when so many statements wait for a lock."""
        return bool(await self.value("SELECT count(*) >= $1 FROM pg_locks WHERE NOT granted", times))

    async def stats(self) -> Stats:
        """The store's stats, as `/stats` tells them."""
        return await read_stats(self.database)

    async def known(self, name: str) -> ProjectorStats:
        """The stats of one projector."""
        return next(one for one in (await self.stats()).projectors if one.holder == name)

    async def projected(self) -> bool:
        """True when no event waits for its projection: what `/stats` has as its backlog, at a tenth of its cost."""
        return bool(await self.value(CAUGHT_UP))

    async def rows(self) -> list[asyncpg.Record]:
        """The projection."""
        return await self.sql("SELECT * FROM todos ORDER BY id")

    async def minutes(self) -> list[asyncpg.Record]:
        """Read model `activity`, summed up by minute; what was taken back whole is as what never was."""
        return await self.sql("""
SELECT minute, sum(created) AS created, sum(updated) AS updated, sum(deleted) AS deleted
  FROM activity GROUP BY minute HAVING (sum(created), sum(updated), sum(deleted)) <> (0, 0, 0) ORDER BY minute
""")

    async def versions_projected(self) -> dict[str, int]:
        """Each todo's version in the projection."""
        return {row["id"]: row["version"] for row in await self.rows()}

    async def writers(self) -> list[str]:
        """Who projected, batch by batch."""
        return [row["projector"] for row in await self.sql("SELECT projector FROM projection_audit ORDER BY id")]

    async def oracle(self, *, complete: bool = True, serial: bool = False) -> Verification:
        """What the re-fold oracle says."""
        activity = "activity" in self.read_models
        verification, _ = await verify(as_role("oracle", self.url), complete=complete, serial=serial, activity=activity)
        return verification

    async def assert_right(self, *, complete: bool = True, serial: bool = False) -> None:
        """The oracle finds every event projected exactly once, and every row as it should be."""
        verification = await self.oracle(complete=complete, serial=serial)
        assert faults(verification) == {}, verification.offenders
        assert verification.correctness.events_checked == sum(self.versions.values())


def faults(verification: Verification) -> dict[str, int]:
    """The oracle's counts that are not 0."""
    counts = verification.correctness.to_dict()
    named = ("lost", "duplicated", "reordered", "phantom", "mismatched_rows")
    return {name: counts[name] for name in named if counts[name]}


def life(*texts: str, deleted: bool = False) -> Sequence[NewEvent]:
    """A todo's events: created with the first text, updated with the others, deleted at the end if asked."""
    created = [NewEvent("TodoCreated", {"text": texts[0]})]
    updated = [NewEvent("TodoUpdated", {"text": text}) for text in texts[1:]]
    return [*created, *updated, *([DELETED] if deleted else [])]
