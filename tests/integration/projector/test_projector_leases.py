"""Leases: kept while the handler works, lost with time, and never written under again; the counters beside them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from eventstore.errors import StoreBusy
from projection.strategy import OrderingStrategy
from tests.integration.projector.stage import CREATED, POISON, UPDATED, Moments, Stage, frozen, leased, life, until
from tests.integration.sqlstates.trouble import raised

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])
HELD = "SELECT count(*) FROM {} WHERE holder = $1 AND leased_until > clock_timestamp()"


async def held(stage: Stage, name: str, *, serial: bool) -> int:
    """How many leases the projector holds by the rows themselves."""
    return int(await stage.value(HELD.format("cursors" if serial else "streams"), name))


@MODES
async def test_who_wakes_up_after_its_lease_writes_nothing(stage: Stage, serial: bool) -> None:
    for number in range(3):
        await stage.append(f"todo-{number}", *life("a", "b"))
    hook = Moments(stop_at="claimed")
    async with stage.projector(serial=serial, hook=hook, make=leased(serial), name="stalled"):
        await hook.reached.wait()
        await stage.pass_time()
        await stage.catch_up(serial=serial, name="successor")
        before = await stage.rows()

        applied = hook.wait("applied")
        hook.open.set()
        await applied
        await hook.wait("idle")

    assert set(await stage.writers()) == {"successor"}
    assert await stage.rows() == before
    stalled, successor = await stage.known("stalled"), await stage.known("successor")
    assert (stalled.events_projected, stalled.leases_held) == (0, 0)
    assert (successor.events_projected, successor.takeovers) == (6, 1 if serial else 3)
    assert successor.last_takeover_at is not None
    await stage.assert_right(serial=serial)


@MODES
async def test_a_lease_that_was_lost_is_not_counted_as_held(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", CREATED)
    hook = Moments(stop_at="claimed")
    async with stage.projector(serial=serial, hook=hook, make=leased(serial), name="stalled") as stalled:
        await hook.reached.wait()
        assert (await stage.known(stalled.name)).leases_held == 1
        await stage.pass_time()
        successor = Moments(stop_at="claimed")
        async with stage.projector(serial=serial, hook=successor, make=leased(serial)):
            await successor.reached.wait()
            hook.open.set()
            await hook.wait("idle")
            assert (await stage.known(stalled.name)).leases_held == 0
            successor.open.set()
            await until(stage.projected, "the event to be projected")

    await stage.assert_right(serial=serial)


@MODES
async def test_a_failure_under_a_lost_lease_is_no_attempt(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", POISON)
    hook = Moments(stop_at="applied")
    table = "cursors" if serial else "streams"
    async with stage.projector(serial=serial, hook=hook, make=leased(serial), name="stalled"):
        await hook.reached.wait()
        await stage.pass_time()
        successor = Moments(stop_at="claimed")
        async with stage.projector(serial=serial, hook=successor, make=leased(serial), attempts=9) as other:
            await successor.reached.wait()
            failed = hook.wait("failed")
            hook.open.set()
            await failed
            [row] = await stage.sql(f"SELECT holder, attempts FROM {table}")
            assert (row["holder"], row["attempts"]) == (other.name, 0)
            assert (await stage.known("stalled")).leases_held == 0
            successor.open.set()


@MODES
async def test_the_heartbeat_keeps_leases_while_the_handler_takes_longer(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", CREATED)
    await stage.append("todo-2", CREATED)
    # Renewed each third of a lease, which a busy machine may put off by half a second.
    slow = {"serial": serial, "handler_latency": 1.5, "lease": timedelta(seconds=1.2)}
    hook = Moments()
    async with stage.projector(hook=hook, **slow) as worker:
        await hook.wait("claimed")
        async with stage.projector(**slow) as other:
            await until(stage.projected, "both events to be projected")
            assert (await stage.known(other.name)).takeovers == 0

    assert set(await stage.writers()) == {worker.name}
    assert await stage.value("SELECT max(epoch) FROM projection_audit") == 1
    await stage.assert_right(serial=serial)


@MODES
async def test_stopping_gives_back_at_once_what_the_handler_still_works_on(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", CREATED)
    hook = Moments()
    async with stage.projector(serial=serial, hook=hook, handler_latency=3600.0, poll=3600.0) as projector:
        await hook.wait("idle")
        assert await held(stage, projector.name, serial=serial) == 1
        await projector.stop()

    assert await stage.value("SELECT count(*) FROM streams WHERE holder IS NOT NULL OR attempts > 0") == 0
    assert await stage.value("SELECT count(*) FROM cursors WHERE holder IS NOT NULL OR attempts > 0") == 0
    known = await stage.known(projector.name)
    assert (known.leases_held, known.alive) == (0, False)
    await stage.catch_up(serial=serial)
    await stage.assert_right(serial=serial)


async def test_streams_in_flight_bounds_the_leases(stage: Stage) -> None:
    for number in range(5):
        await stage.append(f"todo-{number}", CREATED)
    hook = Moments()
    async with stage.projector(hook=hook, handler_latency=3600.0, streams_in_flight=2) as projector:
        await hook.wait("idle", times=3)
        assert await held(stage, projector.name, serial=False) == 2
        assert (await stage.known(projector.name)).leases_held == 2


async def stepping(strategy: OrderingStrategy, clock: list[float], seconds: float) -> int:
    """Move the clock, and step; returns the events that took effect."""
    clock[0] += seconds
    return (await strategy.step()).events


async def test_parallel_pays_for_each_event_and_for_all_streams_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.append("one", CREATED)
    await stage.append("three", *life("a", "b", "c"))
    async with stage.prepared(handler_latency=0.01) as worker, frozen(monkeypatch) as clock:
        await worker.strategy.prepare()
        first = await worker.strategy.step()
        assert (first.events, first.more) == (0, False)
        assert first.wait == pytest.approx(0.01)
        await stage.append("one", UPDATED)

        assert await stepping(worker.strategy, clock, 0.009) == 0
        assert await stepping(worker.strategy, clock, 0.002) == 1
        assert await stepping(worker.strategy, clock, 0.010) == 0
        assert await stepping(worker.strategy, clock, 0.010) == 4
        await worker.strategy.release()

    await stage.assert_right()


async def test_serial_pays_for_all_events_in_a_row_but_not_for_duplicates(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.append("one", CREATED)
    await stage.catch_up()
    await stage.append("three", *life("a", "b", "c"))
    async with stage.prepared(serial=True, handler_latency=0.01) as worker, frozen(monkeypatch) as clock:
        await worker.strategy.prepare()
        assert (await worker.strategy.step()).wait == pytest.approx(0.03)
        await stage.append("one", UPDATED)

        assert await stepping(worker.strategy, clock, 0.029) == 0
        assert await stepping(worker.strategy, clock, 0.002) == 3
        assert (await worker.strategy.step()).wait == pytest.approx(0.01)
        assert await stepping(worker.strategy, clock, 0.011) == 1
        await worker.strategy.release()

    await stage.assert_right(serial=True)


@MODES
async def test_a_costly_handler_commits_a_few_events_at_a_time(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", CREATED, *[UPDATED] * 4)
    await stage.catch_up(serial=serial, handler_latency=0.04)

    sizes = await stage.sql("SELECT to_version - from_version + 1 AS events FROM projection_audit ORDER BY id")
    assert [row["events"] for row in sizes] == [2, 2, 1]
    await stage.assert_right(serial=serial)


async def test_what_locks_put_off_is_held_by_a_lease_kept_and_given_back(stage: Stage) -> None:
    """By stream-locks, a statement that is refused leaves its stream to leases."""
    ends = "SELECT leased_until FROM streams WHERE holder IS NOT NULL"
    await stage.append("todo-1", CREATED)
    async with raised(stage.url, "todos", "55P03"), stage.prepared(strategy="stream-locks") as worker:
        await worker.strategy.prepare()
        with pytest.raises(StoreBusy):
            await worker.strategy.step()
        held = await stage.value(ends)
        assert held is not None
        assert not await worker.strategy.exhausted()

        await worker.strategy.renew()
        assert await stage.value(ends) > held

        await worker.strategy.release()
        assert await stage.value(ends) is None
    await stage.catch_up(strategy="stream-locks")
    await stage.assert_right()
