"""A projector that ends between two writes: effect and checkpoint must be one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import pytest

from eventstore.connection.database import Database
from projection.leases import cursors
from projection.leases.cursors import CURSOR
from projection.leases.streams import PostgresLeases
from projection.ordering.global_order import GlobalOrder, Term
from projection.ordering.stream_leases import StreamLeases
from projection.ordering.stream_locks import StreamLocks
from projection.statement.handler import Run, SetHandler
from projection.statement.outcome import Outcome
from projection.statement.shapes import Shape
from projection.strategy import OrderingStrategy, Tools
from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import HOLD, PATIENCE_S, Make, Stage, life, until
from tests.mutants.caught import AS_MADE, EACH_STRATEGY, Caught, Schedule, Stages, planted
from tests.mutants.plants import NO_EFFECT
from tests.read_models import READ_MODELS

EFFECT_ALONE = """
INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
SELECT stream, data ->> 'text', recorded_at, recorded_at, version, false, 1 FROM events WHERE version = 1
ON CONFLICT (id) DO NOTHING
"""


class Crash(Exception):
    """The end of a process."""


async def crash(moment: str) -> None:
    """A hook: the process ends as soon as it has claimed something.

    By locks there is no such moment, as claim and effect are one statement: there it ends right after it.
    """
    if moment in ("claimed", "applied"):
        raise Crash


def ended_before_its_effect(strategy: Strategy) -> Schedule:
    """One ends between its claim and its effect; another does the rest."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.append("todo-2", *life("a"))
        async with stage.prepared(strategy=strategy, hook=crash, make=make) as worker:
            with pytest.raises(Crash):
                await worker.run()
        await stage.pass_time()
        await stage.catch_up(strategy=strategy)

    return schedule


async def acknowledge_all(tools: Tools, limit: int) -> int:
    """Claim, and move the checkpoints before anything took effect."""
    leases = PostgresLeases(tools.database, tools.slot)
    claimed = await leases.claim("hasty", limit=limit, ttl=tools.settings.lease)
    for lease in claimed:
        await leases.acknowledge(lease, lease.version)
    await tools.hook("claimed")
    return len(claimed)


class CheckpointFirst(StreamLeases):
    """Acknowledges what it claims before it works on it."""

    async def _claim(self, limit: int) -> int:
        return await acknowledge_all(self._tools, limit)


class CheckpointFirstOfLocks(StreamLocks):
    """Moves the checkpoints of what is pending before it works on it."""

    async def _take(self, slot: int, streams: int, each: int) -> Outcome:
        await acknowledge_all(self._tools, streams)
        return await super()._take(slot, streams, each)


class CursorFirst(GlobalOrder):
    """Moves the cursor to the end of the log before it works on what it passes."""

    async def _claim(self) -> Term | None:
        settings = self._tools.settings
        lease = await cursors.claim(self._tools.database, CURSOR, settings.name, ttl=settings.lease)
        async with self._tools.database.connection() as connection:
            await connection.execute("UPDATE cursors SET position = (SELECT max(position) FROM events)")
        await self._tools.hook("claimed")
        return Term(lease, lease.position) if lease else None


HASTY: Final[Mapping[Strategy, Make]] = {
    "global-order": CursorFirst,
    "stream-leases": CheckpointFirst,
    "stream-locks": CheckpointFirstOfLocks,
}


@EACH_STRATEGY
async def test_checkpoint_first(stages: Stages, strategy: Strategy) -> None:
    await stages.assert_caught(
        ended_before_its_effect(strategy),
        planted(strategy),
        HASTY[strategy],
        Caught({"lost", "mismatched_rows"}, "lost: version 2 of todo-1 (TodoUpdated, position 2) never took effect"),
        strategy=strategy,
    )


class TwoTransactions(SetHandler):
    """Commits the checkpoint, and then, by a statement of its own, the effect."""

    def __init__(self) -> None:
        super().__init__(READ_MODELS, {"effect": NO_EFFECT})

    def batches(self, database: Database, shape: Shape) -> Run:
        run = super().batches(database, shape)

        async def both(**values: Any) -> Outcome:
            found = await run(**values)
            async with database.connection() as connection:
                await connection.execute(EFFECT_ALONE)
            return found

        return both


def in_two(strategy: Strategy) -> Make:
    def make(tools: Tools) -> OrderingStrategy:
        return AS_MADE[strategy](Tools(tools.database, tools.settings, tools.slot, TwoTransactions(), tools.hook))

    return make


@EACH_STRATEGY
async def test_checkpoint_in_a_transaction_of_its_own(stages: Stages, strategy: Strategy) -> None:
    """The connection is cut in the middle of the effect, and the projector ends with it."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a"))
        await stage.sql(HOLD)
        await stage.sql("CREATE TRIGGER hold AFTER INSERT ON todos EXECUTE FUNCTION hold()")
        async with stage.database.connection() as holder, stage.prepared(strategy=strategy, make=make) as worker:
            await holder.execute("SELECT pg_advisory_lock(1)")
            working = asyncio.create_task(worker.run())
            await until(stage.waiting, "the effect to be under way")
            worker.stop()
            await stage.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE NOT granted")
            await asyncio.wait_for(working, PATIENCE_S)
            await holder.execute("SELECT pg_advisory_unlock(1)")
        await stage.sql("DROP TRIGGER hold ON todos")
        await stage.pass_time()
        await stage.catch_up(strategy=strategy)

    await stages.assert_caught(
        schedule,
        planted(strategy),
        in_two(strategy),
        Caught({"mismatched_rows"}, "todo todo-1 is missing; its events make it version 1"),
        strategy=strategy,
    )


@EACH_STRATEGY
async def test_checkpoint_without_effect(stages: Stages, strategy: Strategy) -> None:
    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.catch_up(strategy=strategy, make=make)

    await stages.assert_caught(
        schedule,
        planted(strategy),
        planted(strategy, {"effect": NO_EFFECT}),
        Caught({"mismatched_rows"}, "todo todo-1 is missing; its events make it version 2"),
        strategy=strategy,
    )
