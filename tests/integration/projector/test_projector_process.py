"""The real process: killed, frozen, told to end, run once, run by an operator."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from bench.platforms.postgres.cluster import free_port
from tests.cluster import Cluster
from tests.integration.projector.process import projector, run
from tests.integration.projector.stage import CREATED, POISON, Stage, life, until

MODES = pytest.mark.parametrize("serial", ["false", "true"], ids=["parallel", "serial"])
FOREVER = "60000"
"""Handler cost in ms: leases are held, and nothing is written."""

LEASED = (
    "SELECT holder FROM streams WHERE holder IS NOT NULL UNION ALL SELECT holder FROM cursors WHERE holder IS NOT NULL"
)


async def leased(stage: Stage) -> bool:
    return bool(await stage.sql(LEASED))


async def expired(stage: Stage) -> bool:
    """True when every lease has ended."""
    running = "SELECT count(*) FROM {} WHERE leased_until > clock_timestamp()"
    return not await stage.value(running.format("streams")) + await stage.value(running.format("cursors"))


@MODES
async def test_killed_while_it_holds_leases_another_takes_over(stage: Stage, tmp_path: Path, serial: str) -> None:
    for number in range(5):
        await stage.append(f"todo-{number}", *life("a", "b"))
    async with projector(stage, tmp_path / "log", SERIAL_PROJECTION=serial, HANDLER_LATENCY_MS=FOREVER) as victim:
        await until(lambda: leased(stage), "the leases")
        victim.signal(signal.SIGKILL)
        assert await victim.ended() == -signal.SIGKILL

        await stage.catch_up(serial=serial == "true", name="successor")

    assert set(await stage.writers()) == {"successor"}
    successor = await stage.known("successor")
    assert successor.takeovers == (1 if serial == "true" else 5)
    assert successor.last_takeover_at is not None
    await stage.assert_right(serial=serial == "true")


@pytest.mark.parametrize(("serial", "committed"), [("false", True), ("true", False)], ids=["committed", "undone"])
async def test_killed_within_its_statement_nothing_is_lost_or_repeated(
    stage: Stage, tmp_path: Path, serial: str, committed: bool
) -> None:
    for number in range(5):
        await stage.append(f"todo-{number}", *life("a", "b"))
    async with stage.batches_held_back(), projector(stage, tmp_path / "log", SERIAL_PROJECTION=serial) as victim:
        await until(stage.waiting, "the batch to wait, with everything written")
        victim.signal(signal.SIGKILL)
        await victim.ended()
        if not committed:
            await stage.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE NOT granted")

    await stage.catch_up(serial=serial == "true", name="successor")

    assert set(await stage.writers()) == {victim.name if committed else "successor"}
    await stage.assert_right(serial=serial == "true")


@MODES
async def test_frozen_past_its_lease_it_writes_nothing_when_it_wakes(stage: Stage, tmp_path: Path, serial: str) -> None:
    await stage.append("todo-1", *life("a", "b"))
    async with projector(stage, tmp_path / "log", SERIAL_PROJECTION=serial, HANDLER_LATENCY_MS="1000") as sleeper:
        await until(lambda: leased(stage), "the lease")
        sleeper.signal(signal.SIGSTOP)
        await until(lambda: expired(stage), "the lease to end")
        await stage.catch_up(serial=serial == "true", name="successor")
        before = await stage.rows()

        sleeper.signal(signal.SIGCONT)
        await until(lambda: sleeper.says("lost"), "the sleeper to find its lease lost")
        sleeper.signal(signal.SIGTERM)
        assert await sleeper.ended() == 0

    assert set(await stage.writers()) == {"successor"}
    assert await stage.rows() == before
    known = await stage.known(sleeper.name)
    assert (known.events_projected, known.fenced) == (0, 1)
    await stage.assert_right(serial=serial == "true")


@MODES
async def test_told_to_end_it_gives_its_leases_back_at_once(stage: Stage, tmp_path: Path, serial: str) -> None:
    await stage.append("todo-1", CREATED)
    async with projector(
        stage,
        tmp_path / "log",
        SERIAL_PROJECTION=serial,
        HANDLER_LATENCY_MS=FOREVER,
        LEASE_SECONDS="3600",
    ) as process:
        await until(lambda: leased(stage), "the lease")
        process.signal(signal.SIGTERM)
        assert await process.ended() == 0

    assert not await leased(stage)
    stats = await stage.known(process.name)
    assert (stats.leases_held, stats.alive) == (0, False)


@MODES
async def test_once_runs_to_the_end(stage: Stage, serial: str) -> None:
    await stage.append("todo-1", *life("a", "b"))
    assert (await run(stage.url, "--once", SERIAL_PROJECTION=serial)).code == 0
    await stage.assert_right(serial=serial == "true")

    await stage.append("todo-2", CREATED, POISON)
    assert (await run(stage.url, "--once", SERIAL_PROJECTION=serial, RETRY_ATTEMPTS="1")).code == 1
    assert (await stage.stats()).blocked[0].attempts == 1


async def test_operators_clear_what_is_blocked(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.append("todo-2", CREATED, POISON)
    await stage.catch_up()

    refused = await run(stage.url, "skip", "todo-1")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "stream 'todo-1' is not blocked, and neither is the serial projection\n"
    unblocked = await run(stage.url, "unblock", "--all")
    assert (unblocked.code, unblocked.out) == (0, "unblocked 1 streams\n")
    await stage.catch_up()
    skipped = await run(stage.url, "skip", "todo-2", "--json")
    assert (skipped.code, json.loads(skipped.out)["version"]) == (0, 2)
    assert await stage.projected()

    await stage.sql("""UPDATE events SET data = '{"text": "mended"}' WHERE data = '{"text": 7}'""")
    assert (await run(stage.url, "reset", "--all")).code == 0
    assert not await stage.projected()
    await stage.catch_up()
    await stage.assert_right()


async def test_once_waits_for_what_another_has_in_hand(stage: Stage, tmp_path: Path) -> None:
    await stage.append("todo-1", CREATED)
    async with projector(stage, tmp_path / "log", HANDLER_LATENCY_MS=FOREVER) as victim:
        await until(lambda: leased(stage), "the lease")
        victim.signal(signal.SIGKILL)
        await victim.ended()

        assert (await run(stage.url, "--once")).code == 0

    assert await stage.projected()


async def test_bad_settings_end_with_one_line_that_names_them(cluster: Cluster) -> None:
    away = f"postgresql://user:word@127.0.0.1:{free_port()}/nothing"
    bare = cluster.create(migrated=False)
    for url, variables, said in (
        ("mysql://nowhere/x", {}, "DATABASE_URL="),
        (away, {"STREAMS_IN_FLIGHT": "0"}, "STREAMS_IN_FLIGHT='0'"),
        (away, {}, "DATABASE_URL: "),
        (bare, {}, "python -m migrations upgrade"),
    ):
        ended = await run(url, "--once", **variables)
        assert ended.code == 2
        assert said in ended.err
        assert "Traceback" not in ended.err
