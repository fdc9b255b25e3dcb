"""A store with many streams that are caught up, with and without statistics, and what is pending laid on top."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from bench.platforms.postgres.cluster import Cluster as Server
from eventstore.connection.database import Statement
from eventstore.connection.planner import PLANNER, PROJECTOR
from eventstore.schema import SLOTS
from tests.cluster import TEMPLATE, Cluster
from tests.plans.explain import Plan, explain, plan_for_any
from tests.plans.golden import all_statements

FEW, MANY = 1_000, 200_000

# Caught up: one event a stream, projected; the first half of the todos deleted; every counter slot in use.
FILL = """
INSERT INTO streams (stream, version, projected)
SELECT 's' || lpad(n::text, 7, '0'), 1, 1 FROM generate_series(1, {n}) n;
INSERT INTO events (stream, version, type, data)
SELECT 's' || lpad(n::text, 7, '0'), 1, 'TodoCreated', '{{"text": "milk"}}' FROM generate_series(1, {n}) n;
INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
SELECT 's' || lpad(n::text, 7, '0'), 'milk', now(), now(), 1, n <= {n} / 2, 1 FROM generate_series(1, {n}) n;
INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
SELECT 's' || lpad(n::text, 7, '0'), 1, 1, n, 'one', 1, now() FROM generate_series(1, {n}) n;
INSERT INTO idempotency_keys (key, fingerprint, stream, version)
SELECT 'k' || n, 'f', 's' || lpad(n::text, 7, '0'), 1 FROM generate_series(1, {n}) n;
INSERT INTO tallies (slot, events, streams, projected) SELECT n, 1, 1, 1 FROM generate_series(0, {slots} - 1) n;
INSERT INTO todo_tallies (slot, todos, active) SELECT n, 1, 1 FROM generate_series(0, {slots} - 1) n;
INSERT INTO cursors (name, position) VALUES ('todos', {n});
INSERT INTO projectors (holder, mode, started_at, seen_at, alive_until)
SELECT 'p' || n, 'parallel', now(), now(), now() + interval '1 hour' FROM generate_series(1, 20) n;
"""

# Statistics come when a test wants them, not when the server finds the time.
TABLES = (
    "streams",
    "events",
    "todos",
    "projection_audit",
    "idempotency_keys",
    "tallies",
    "todo_tallies",
    "projectors",
    "cursors",
)
QUIET = ";".join(f"ALTER TABLE {table} SET (autovacuum_enabled = off)" for table in TABLES)


@pytest.fixture(scope="session")
def filled(cluster: Cluster) -> Callable[[int, bool], str]:
    """The address of a filled database by number of streams and presence of statistics, each made once.

    Both of a number are made before a test has either: what tests undo lies about where it was, and a copy has it, too.
    """
    made: dict[tuple[int, bool], str] = {}

    def get(streams: int, analyzed: bool) -> str:
        if (streams, analyzed) not in made:
            bare = made[streams, False] = _make(cluster.server, f"plans_{streams}_bare", TEMPLATE)
            _run(cluster.server, bare, QUIET, FILL.format(n=streams, slots=SLOTS))
            known = made[streams, True] = _make(cluster.server, f"plans_{streams}_analyzed", bare)
            _run(cluster.server, known, "VACUUM ANALYZE")
        return made[streams, analyzed]

    return get


def _make(server: Server, name: str, template: str) -> str:
    return server.create_database(name, template.rpartition("/")[2])


def _run(server: Server, url: str, *statements: str) -> None:
    for statement in statements:
        server.execute(statement, url.rpartition("/")[2])


@dataclass(frozen=True)
class Scene:
    """What a statement meets: so many streams, with statistics or without, and how its plan was made.

    `early`: the plan for any values was made while all tables were empty, as happens to a process that starts with a
    new database; the connection keeps such a plan until statistics come. With `analyzed` too, the statistics of that
    moment said so, as after a reset.
    """

    streams: int
    analyzed: bool = False
    generic: bool = False
    early: bool = False

    def __str__(self) -> str:
        if self.early:
            return f"{self.streams}-planned-when-{'known-to-be-' if self.analyzed else ''}empty"
        kind = "generic" if self.generic else "custom"
        return f"{self.streams}-{'with' if self.analyzed else 'no'}-statistics-{kind}"


SCENES = [Scene(n, analyzed, generic) for n in (FEW, MANY) for analyzed in (False, True) for generic in (False, True)]
SCENES += [Scene(5_000, analyzed, generic=True, early=True) for analyzed in (False, True)]


@pytest.fixture(params=SCENES, ids=str, scope="session")
def scene(request: pytest.FixtureRequest) -> Scene:
    """Each test of a plan runs in every scene."""
    made: Scene = request.param
    return made


@pytest.fixture
def streams(scene: Scene) -> int:
    """How many streams there are."""
    return scene.streams


class Guard:
    """A connection with the settings of one process, in a transaction that is undone after the test."""

    def __init__(self, connection: asyncpg.Connection, generic: bool) -> None:
        self.connection = connection
        self.generic = generic

    async def run(self, statement: Statement, **values: Any) -> Plan:
        """Run the statement once under EXPLAIN ANALYZE."""
        return await explain(self.connection, statement, generic=self.generic, **values)

    async def pend(self, count: int, *, leased_by: str | None = None, first: int = 1) -> list[str]:
        """Give `count` streams a second event that is not projected; their names."""
        return [
            row["stream"]
            for row in await self.connection.fetch(
                """
WITH written AS (
  INSERT INTO events (stream, version, type, data)
  SELECT 's' || lpad(n::text, 7, '0'), 2, 'TodoUpdated', '{"text": "more milk"}'
    FROM generate_series($2::int, $2 + $1::int - 1) n
  RETURNING stream
)
UPDATE streams s
   SET version = 2, pending_since = clock_timestamp(), holder = $3::text,
       leased_until = CASE WHEN $3::text IS NOT NULL THEN clock_timestamp() + interval '1 hour' END
  FROM written WHERE s.stream = written.stream
RETURNING s.stream
""",
                count,
                first,
                leased_by,
            )
        ]


Open = Callable[[Mapping[str, str]], Awaitable[Guard]]


@pytest.fixture
async def open_guard(scene: Scene, filled: Callable[[int, bool], str], shared_empty_url: str) -> AsyncIterator[Open]:
    opened: list[asyncpg.Connection] = []

    async def open(settings: Mapping[str, str]) -> Guard:
        url = shared_empty_url if scene.early else filled(scene.streams, scene.analyzed)
        connection = await asyncpg.connect(url, server_settings=dict(settings))
        opened.append(connection)
        await connection.execute("BEGIN")
        if scene.early:
            # New files, so that nothing lies about that earlier tests undid.
            await connection.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY")
            if scene.analyzed:
                await connection.execute("ANALYZE")
            for name, statement in all_statements().items():
                if name != "eventstore.connection.wakeup.NOTIFY":
                    await plan_for_any(connection, statement)
            await connection.execute(FILL.format(n=scene.streams, slots=SLOTS))
        return Guard(connection, scene.generic)

    yield open
    for connection in opened:
        await connection.execute("ROLLBACK")
        await connection.close()


@pytest.fixture(scope="session")
def shared_empty_url(cluster: Cluster) -> str:
    """A database without a row, also after the tests: each undoes what it did."""
    url = cluster.create()
    cluster.server.execute(QUIET, url.rpartition("/")[2])
    return url


@pytest.fixture
async def api(open_guard: Open) -> Guard:
    """As the API runs its statements."""
    return await open_guard(PLANNER)


@pytest.fixture
async def projector(open_guard: Open) -> Guard:
    """As a projector runs its statements."""
    return await open_guard(PROJECTOR)
