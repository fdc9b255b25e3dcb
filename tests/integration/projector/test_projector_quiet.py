"""A projector that sleeps for long still does in time whatever becomes due, and finds all that there is."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from projection.ordering.stream_leases import StreamLeases
from projection.ordering.stream_locks import StreamLocks
from tests.integration.projector.process import run
from tests.integration.projector.stage import (
    CREATED,
    POISON,
    UPDATED,
    Make,
    Moments,
    Projector,
    Stage,
    life,
    until,
)

MAKES = pytest.mark.parametrize("make", [StreamLocks, StreamLeases])
FOREVER = 3600.0
DUE = {
    "a lease": "UPDATE streams SET holder = 'dead', leased_until = clock_timestamp() + interval '1 s'",
    "a back-off": "UPDATE streams SET attempts = 1, retry_at = clock_timestamp() + interval '1 s'",
}


LISTENERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '% listener'"
)


async def asleep(stage: Stage, projector: Projector, hook: Moments, *, listeners: int) -> None:
    """Return when the projector found nothing, and will hear of what comes."""
    await until(lambda: listening(stage, listeners), "the projectors to listen")
    idle = hook.wait("idle")
    projector.worker.wake()
    await idle


async def listening(stage: Stage, listeners: int) -> bool:
    return bool(await stage.value(f"{LISTENERS} AND state = 'idle'") == listeners)


@pytest.mark.parametrize("what", DUE)
@MAKES
async def test_it_wakes_up_when_a_lease_or_a_back_off_ends(stage: Stage, make: Make, what: str) -> None:
    await stage.append("todo-1", *life("a", "b"))
    await stage.sql(DUE[what])
    ends = await stage.value("SELECT coalesce(leased_until, retry_at) FROM streams")
    async with stage.projector(make=make, poll=FOREVER) as projector:
        await until(stage.projected, "the stream to be projected")
        assert (await stage.known(projector.name)).takeovers == (what == "a lease")
    assert await stage.value("SELECT min(projected_at) FROM projection_audit") >= ends
    await stage.assert_right()


async def test_it_sleeps_only_when_nothing_is_left(stage: Stage) -> None:
    for number in range(5):
        await stage.append(f"todo-{number}", CREATED, *[UPDATED] * number * 3)
    hook = Moments(stop_at="idle")
    sizes = {"streams_in_flight": 2, "events_per_stream": 2, "events_per_batch": 4}
    async with stage.projector(make=StreamLocks, hook=hook, poll=FOREVER, **sizes):
        await hook.reached.wait()
        assert await stage.projected()
        hook.open.set()
    await stage.assert_right()


async def test_whoever_ends_calls_the_others_to_what_it_had_in_hand(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    first, second = Moments(), Moments()
    async with stage.projector(hook=first, handler_latency=FOREVER, poll=FOREVER) as projector:
        await first.wait("claimed")
        async with stage.projector(hook=second, poll=FOREVER) as other:
            await asleep(stage, other, second, listeners=2)
            await projector.stop()
            await until(stage.projected, "the other to go on")
            assert await stage.writers() == [other.name]


async def test_an_operator_calls_the_projectors(stage: Stage) -> None:
    await stage.append("todo-1", CREATED, POISON)
    await stage.catch_up(attempts=1)
    hook = Moments()
    async with stage.projector(hook=hook, poll=FOREVER) as projector:
        await asleep(stage, projector, hook, listeners=1)
        assert (await run(stage.url, "skip", "todo-1")).code == 0
        assert (await run(stage.url, "reset", "todo-1")).code == 0
        await until(lambda: blocked(stage), "the stream to be tried again, and blocked again")


async def blocked(stage: Stage) -> bool:
    return bool(await stage.value("SELECT count(*) FROM streams WHERE attempts > 0"))


async def test_without_leases_many_still_project_everything_once(stage: Stage) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(stage.projector(make=StreamLocks, streams_in_flight=3, events_per_stream=2))
        for number in range(120):
            stream = f"todo-{number % 11}"
            await stage.append(stream, UPDATED if stage.versions[stream] else CREATED)
        await until(stage.projected, "all events to be projected")
    assert {one.leases_held for one in (await stage.stats()).projectors} == {0}
    await stage.assert_right()
