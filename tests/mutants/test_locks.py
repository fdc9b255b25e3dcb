"""Strategy `stream-locks`: the lock on a stream's row is the lease, so the mutants take, keep or wait for it wrongly.

They apply from memory, as handlers with an effect elsewhere do: where the guard looks at the checkpoint under the lock,
or the effect at the version of its row, Postgres undoes the second of two statements, as a control shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from eventstore.connection.statement import Statement
from projection.ordering.stream_locks import StreamLocks
from projection.statement.handler import SetHandler
from projection.statement.outcome import Outcome
from projection.statement.shapes import STREAM_LOCKS, Shape
from projection.strategy import Tools
from tests.integration.projector.stage import PATIENCE_S, UPDATED, Make, Moments, Stage, life, until
from tests.mutants.caught import AS_IT_IS, Caught, Stages, with_parts
from tests.mutants.plants import NO_FENCE, NO_GUARD, OVERWRITE
from tests.read_models import READ_MODELS

LOCK: Final = "FOR UPDATE SKIP LOCKED"
LOCKS: Final = "stream-locks"
WAITING_FOR_A_ROW: Final = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"
FROM_MEMORY: Final = {"guard": "true", "effect": OVERWRITE}
SEEN: Final = "SELECT stream FROM streams WHERE pending_since IS NOT NULL FOR UPDATE SKIP LOCKED"


class Locking(SetHandler):
    """Batches whose window has `lock` in the place of its row lock."""

    def __init__(self, lock: str, parts: Mapping[str, str]) -> None:
        super().__init__(READ_MODELS, parts)
        self._lock = lock

    def statement(self, shape: Shape) -> Statement:
        assert LOCK in shape.window
        return super().statement(replace(shape, window=shape.window.replace(LOCK, self._lock)))


def locking(lock: str, parts: Mapping[str, str] = AS_IT_IS) -> Make:
    """Projectors that lock in this way."""
    return lambda tools: StreamLocks(replace(tools, handler=Locking(lock, parts)))


async def two_at_once(stage: Stage, make: Make) -> None:
    """The second begins while the first has written everything, and has not committed."""
    await second_waits(stage, make)


async def second_waits(stage: Stage, make: Make) -> bool:
    """The same; tells whether the second one waited for the first one's row."""
    await stage.append("todo-1", *life("a", "b"))
    async with stage.prepared(strategy=LOCKS, make=make) as first, stage.prepared(strategy=LOCKS, make=make) as second:
        async with stage.batches_held_back():
            steps = [asyncio.create_task(first.strategy.step())]
            await until(stage.waiting, "the first one's statement to be held back")
            steps.append(asyncio.create_task(second.strategy.step()))
            # Held back as the first one, without its stream; or behind the first one.
            await until(lambda: stage.waiting(times=2), "the second one's statement to wait")
            waits = bool(await stage.value(WAITING_FOR_A_ROW))
        await asyncio.wait_for(asyncio.gather(*steps), PATIENCE_S)
    return waits


async def test_no_lock(stages: Stages) -> None:
    await stages.assert_caught(
        two_at_once,
        locking(LOCK, FROM_MEMORY),
        locking("", FROM_MEMORY),
        Caught({"duplicated"}, "duplicated: version 1 of todo-1 took effect again"),
        strategy=LOCKS,
    )


async def test_without_a_lock_the_version_of_the_row_keeps_it_right(stages: Stages) -> None:
    await two_at_once(stages.real, locking(""))
    await stages.real.assert_right()


async def test_a_lock_that_is_waited_for(stages: Stages) -> None:
    """No fault that an oracle could see: the second one looks again at what it waited for. But it has waited."""
    assert await second_waits(stages.real, locking(LOCK, FROM_MEMORY)) is False
    assert await second_waits(stages.mutant, locking("FOR UPDATE", FROM_MEMORY)) is True
    await stages.real.assert_right()
    await stages.mutant.assert_right()


class LockReleasedEarly(StreamLocks):
    """Locks what is pending in a statement of its own, whose end gives the locks back, and then works from memory."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        changed = with_parts(tools, {**NO_GUARD[LOCKS], **NO_FENCE[LOCKS]})
        self._from_memory = changed.handler.batches(tools.database, STREAM_LOCKS)

    async def _take(self, slot: int, streams: int, each: int) -> Outcome:
        async with self._tools.database.connection() as connection:
            seen = await connection.fetch(SEEN)
        if not seen:
            return await super()._take(slot, streams, each)
        await self._tools.hook("claimed")
        return await self._from_memory(
            limit=streams, events=each, holder=self._tools.settings.name, slot=slot, others=0
        )


async def test_a_lock_that_is_released_early(stages: Stages) -> None:
    """One stalls between its lock and its effect, where it can; others go on meanwhile."""
    stalled: dict[str, bool] = {}

    async def schedule(stage: Stage, make: Make) -> None:
        # The first session on a store says by which read models it is projected.
        await stage.catch_up(strategy=LOCKS)
        await stage.append("todo-1", *life("a", "b"))
        hook = Moments(stop_at="claimed")
        async with stage.prepared(strategy=LOCKS, hook=hook, make=make, events_per_stream=2) as worker:
            await worker.strategy.prepare()
            step = asyncio.create_task(worker.strategy.step())
            reached = asyncio.create_task(hook.reached.wait())
            await asyncio.wait({step, reached}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
            reached.cancel()
            stalled[stage.url] = hook.reached.is_set()
            await stage.catch_up(strategy=LOCKS)
            await stage.append("todo-1", UPDATED)
            await stage.catch_up(strategy=LOCKS)

            hook.open.set()
            await asyncio.wait_for(step, PATIENCE_S)

    await stages.assert_caught(
        schedule,
        StreamLocks,
        LockReleasedEarly,
        Caught({"duplicated"}, "duplicated: version 1 of todo-1 took effect again"),
        strategy=LOCKS,
    )
    # As it is, there is no moment in which it could stall with a claim in hand.
    assert stalled == {stages.real.url: False, stages.mutant.url: True}
