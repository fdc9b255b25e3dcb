"""A rebuild beside appends, reads, projectors and operators: exact, without an error for anybody; planted bugs show."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Final

import pytest

from eventstore.connection.database import Database
from projection import operator
from projection.operator.rebuild import Conditions
from tests.cluster import as_role
from tests.integration.projector.process import ROOT, environment
from tests.integration.projector.rebuilding import LEFT, At, history, rebuild
from tests.integration.projector.stage import CREATED, DELETED, UPDATED, Stage, faults, leased, until
from tests.read_models import BOTH_NAMES
from todo.read_models.todos import count_todos, get_todos, list_todos

STREAMS: Final = 300


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    """An empty stage with both read models, and without a shadow."""
    async with Stage.on(url, read_models=BOTH_NAMES) as both:
        await both.sql("DROP SCHEMA IF EXISTS public_rebuild CASCADE")
        yield both


class Traffic:
    """Appends and reads, over and over, until `stop`; the first error of either is raised there."""

    def __init__(self, stage: Stage, api: Database) -> None:
        self._stage, self._api = stage, api
        self._going = True
        self.appended = self.read = 0
        self._tasks = [asyncio.create_task(work()) for work in (self._append, self._reads)]

    async def _append(self) -> None:
        turn, gone = 0, set[str]()
        while self._going:
            turn += 1
            name = f"live-{turn * 7 % STREAMS:03}"
            version = self._stage.versions[name]
            if name not in gone:
                mortal = turn % 5 == 0 and version > 2
                await self._stage.append(name, DELETED if mortal else UPDATED if version else CREATED)
                # Nothing follows a deletion.
                gone |= {name} if mortal else set()
                self.appended += 1
            await asyncio.sleep(0)

    async def _reads(self) -> None:
        while self._going:
            await list_todos(self._api)
            await get_todos(self._api, [f"live-{self.read % STREAMS:03}"])
            await count_todos(self._api)
            self.read += 1

    async def stop(self) -> None:
        """Let both end."""
        self._going = False
        await asyncio.gather(*self._tasks)


@pytest.mark.parametrize("way", ["locks", "leases", "serial", "each"])
async def test_beside_traffic_it_is_exact_and_nobody_meets_an_error(stage: Stage, way: str) -> None:
    serial = way == "serial"
    make = leased(serial) if way in ("leases", "serial") else None
    handler = {"handler": "each"} if way == "each" else {}
    await history(stage, 100)
    async with Database(as_role("api", stage.url), pool_size=2) as api:
        traffic = Traffic(stage, api)
        async with (
            stage.projector(serial=serial, make=make, **handler) as one,
            stage.projector(serial=serial, make=make, **handler) as other,
        ):
            appended, read = traffic.appended, traffic.read
            async with rebuild(stage, most=50) as rebuilding:
                done = await rebuilding.run()
            assert (done.switched, done.differing) == (True, 0), done
            assert done.events >= 200
            assert traffic.appended > appended
            assert traffic.read > read
            await traffic.stop()
            await until(stage.projected, "everything to be projected")
            told = [await stage.known(projector.name) for projector in (one, other)]
        assert [projector.sessions for projector in told] == [1, 1]
        assert (await stage.stats()).blocked == []
    await stage.assert_right(serial=serial)
    assert await stage.value(LEFT) == 0


async def test_a_reset_meanwhile_lets_it_begin_again(stage: Stage) -> None:
    await history(stage)

    async def reset() -> None:
        await operator.reset(stage.steps, "todo-001")
        await stage.append("todo-002", UPDATED)

    for moment in ("filled", "fenced"):
        hook = At(moment, reset)
        async with rebuild(stage, hook=hook) as one:
            done = await one.run()
        assert (done.switched, done.differing) == (True, 0), done
        await stage.catch_up()
        await stage.assert_right()


async def test_a_projector_waits_for_the_switch_and_goes_on_in_the_new_table(stage: Stage) -> None:
    await history(stage)
    found: list[asyncio.Task[None]] = []

    async def project() -> None:
        await stage.append("todo-001", UPDATED)
        await stage.append("late", CREATED)
        found.append(asyncio.create_task(stage.catch_up()))
        await until(stage.waiting, "the projector to wait for the switch")

    async with rebuild(stage, hook=At("compared", project)) as one:
        assert (await one.run()).switched
    await found[0]
    await stage.assert_right()


async def test_planted_without_the_lock_what_is_projected_meanwhile_is_lost(stage: Stage) -> None:
    await history(stage)

    async def project() -> None:
        await stage.append("todo-001", UPDATED)
        await stage.append("late", CREATED)
        await stage.catch_up()

    planted = Conditions(hold_out="SELECT '{table}'")
    async with rebuild(stage, hook=At("compared", project), conditions=planted) as one:
        assert (await one.run()).switched
    assert faults(await stage.oracle())


async def test_planted_without_the_rest_it_is_not_switched(stage: Stage) -> None:
    await history(stage)

    async def project() -> None:
        await stage.append("todo-001", UPDATED)
        await stage.append("late", CREATED)
        await stage.catch_up()

    planted = Conditions(rest="SELECT '' AS stream WHERE $1::bigint < 0")
    # The second fence is the one that is caught up with; what comes after it is the rest.
    async with rebuild(stage, hook=At("fenced", project, nth=2), conditions=planted, mend=True) as one:
        done = await one.run()
    assert not done.switched
    assert "are projected by the counters" in str(done)
    await stage.assert_right()
    async with rebuild(stage, restart=True) as one:
        assert (await one.run()).switched
    await stage.assert_right()


async def test_killed_it_leaves_all_as_it_was(stage: Stage) -> None:
    await history(stage)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.projector", "rebuild", "--pause", "60"),
        cwd=ROOT,
        env=environment(stage.url, READ_MODELS=",".join(BOTH_NAMES)),
        stderr=subprocess.PIPE,
    )
    filled = "SELECT events > 0 FROM public_rebuild.rebuild_record"

    async def begun() -> bool:
        return bool(await stage.value(LEFT)) and bool(await stage.value(filled))

    await until(begun, "the first piece")
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    await stage.assert_right()
    await stage.append("new", CREATED)
    await stage.catch_up()
    await stage.sql("UPDATE public_rebuild.rebuild_record SET held_until = clock_timestamp()")
    async with rebuild(stage, "the next") as one:
        done = await one.run()
    assert (done.switched, done.filled) == (True, 1)
    await stage.assert_right()
