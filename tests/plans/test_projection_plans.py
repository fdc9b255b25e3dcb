"""What claims and projections touch: the work that is there, never the streams that exist."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from projection.leases import cursors
from projection.leases.failure import FAIL_STREAM
from projection.leases.streams import ACKNOWLEDGE, CLAIM, RELEASE, RENEW
from projection.ordering import stream_leases
from projection.registry.projectors import BEAT, REGISTER, RETIRE, Told
from projection.statement import log
from tests.plans.conftest import Guard
from tests.plans.explain import names, same
from tests.plans.golden import composed
from tests.plans.test_store_plans import SOME, within

TTL = timedelta(seconds=5)
SHAPES = "projection.statement.shapes."
BATCHES = {name: composed()[SHAPES + name] for name in ("GLOBAL_ORDER", "STREAM_LEASES", "STREAM_LOCKS")}


async def test_a_claim_that_finds_nothing(projector: Guard) -> None:
    within(await projector.run(CLAIM, holder="p1", limit=500, ttl=TTL), pages=SOME)


async def test_a_claim_takes_the_oldest_and_looks_at_no_others(projector: Guard) -> None:
    await projector.pend(300)
    plan = await projector.run(CLAIM, holder="p1", limit=20, ttl=TTL)
    within(plan, pages=20 * 30, streams=20 * 2)


async def test_a_claim_of_all_that_is_pending(projector: Guard) -> None:
    await projector.pend(300)
    plan = await projector.run(CLAIM, holder="p1", limit=500, ttl=TTL)
    within(plan, pages=300 * 30, streams=300 * 2)


async def test_a_claim_passes_over_what_others_hold_or_what_is_blocked(projector: Guard) -> None:
    await projector.pend(100, leased_by="p2")
    blocked = await projector.pend(100, first=101)
    await projector.connection.execute("UPDATE streams SET blocked_at = now() WHERE stream = ANY($1)", blocked)
    await projector.pend(10, first=201)
    plan = await projector.run(CLAIM, holder="p1", limit=50, ttl=TTL)
    within(plan, pages=1000, streams=100 + 100 + 10 * 2)


async def test_leases_in_hand(projector: Guard) -> None:
    held = await projector.pend(50, leased_by="p1")
    within(
        await projector.run(RENEW, streams=held, epochs=same(0, held), holder="p1", ttl=TTL), pages=50 * 80, streams=100
    )
    within(
        await projector.run(ACKNOWLEDGE, stream=held[0], holder="p1", epoch=0, version=2, slot=3, now=None),
        pages=60,
        streams=2,
    )
    within(await projector.run(RELEASE, streams=held, epochs=same(0, held), holder="p1"), pages=50 * 80, streams=100)
    await projector.pend(1, leased_by="p1", first=900)
    within(
        await projector.run(FAIL_STREAM, stream="s0000900", holder="p1", epoch=0, error="x", most=5, others=0),
        pages=40,
        streams=1,
    )


async def test_a_batch_of_leased_streams(projector: Guard, streams: int) -> None:
    held = await projector.pend(100, leased_by="p1", first=streams - 99)
    plan = await projector.run(
        BATCHES["STREAM_LEASES"],
        streams=held,
        epochs=same(0, held),
        uptos=same(200, held),
        holder="p1",
        slot=3,
        others=0,
    )
    within(plan, pages=100 * 60, streams=200, events=200, todos=100, projection_audit=0)
    assert await projector.connection.fetchval("SELECT count(*) FROM todos WHERE version = 2") == 100


async def test_claim_and_batch_in_one(projector: Guard, streams: int) -> None:
    await projector.pend(100, first=streams - 99)
    plan = await projector.run(BATCHES["STREAM_LOCKS"], limit=2000, events=200, holder="p1", slot=3)
    within(plan, pages=100 * 60, streams=200, events=200, todos=100, projection_audit=0)
    assert await projector.connection.fetchval("SELECT count(*) FROM todos WHERE version = 2") == 100


async def test_a_batch_of_the_global_order(projector: Guard, streams: int) -> None:
    upto = await _pend_in_global_order(projector, streams)
    plan = await projector.run(
        BATCHES["GLOBAL_ORDER"], name="todos", epoch=0, upto=upto, limit=100, holder="p1", slot=3, ttl=TTL
    )
    within(plan, pages=100 * 60, streams=200, events=200, todos=100, projection_audit=0)
    assert await projector.connection.fetchval("SELECT count(*) FROM todos WHERE version = 2") == 100


async def test_a_look_ahead_in_the_global_order(projector: Guard, streams: int) -> None:
    upto = await _pend_in_global_order(projector, streams)
    plan = await projector.run(log.AHEAD, after=streams, upto=upto, limit=100)
    within(plan, pages=100 * 10, events=100, streams=100)
    within(await projector.run(log.NEXT, after=streams, upto=upto), pages=SOME, events=1)


async def _pend_in_global_order(projector: Guard, streams: int) -> int:
    await projector.pend(100, first=streams - 99)
    await projector.connection.execute("UPDATE cursors SET holder = 'p1', leased_until = now() + interval '1 hour'")
    return int(await projector.connection.fetchval("SELECT max(position) FROM events"))


async def test_an_idle_projector(projector: Guard) -> None:
    """What it asks again and again when there is nothing to do."""
    within(await projector.run(stream_leases.PENDING), pages=SOME)
    within(await projector.run(log.PENDING, name="todos"), pages=SOME, events=1)
    within(await projector.run(cursors.CLAIM, name="todos", holder="p1", ttl=TTL), pages=SOME)
    within(await projector.run(cursors.RENEW, name="todos", holder="p1", epoch=1, ttl=TTL), pages=SOME)
    within(await projector.run(cursors.RELEASE, name="todos", holder="p1", epoch=1), pages=SOME)
    within(await projector.run(cursors.PREPARE, name="todos"), pages=SOME)
    within(await projector.run(REGISTER, holder="p1", mode="parallel", ttl=TTL), pages=SOME)
    within(await projector.run(BEAT, holder="p1", ttl=TTL, **asdict(Told())), pages=SOME)
    within(await projector.run(RETIRE, holder="p1", **asdict(Told())), pages=SOME)


async def test_work_among_many_streams_is_found_at_their_end_too(projector: Guard, streams: int) -> None:
    await projector.pend(10, first=streams - 9)
    plan = await projector.run(CLAIM, holder="p1", limit=500, ttl=TTL)
    within(plan, pages=10 * 30, streams=10 * 2)
    assert names(streams)[-1] in {
        row["stream"] for row in await projector.connection.fetch("SELECT stream FROM streams WHERE holder = 'p1'")
    }
