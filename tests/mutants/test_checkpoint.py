"""A projector that ends between two writes: effect and checkpoint must be one."""

from __future__ import annotations

import pytest

from projection.leases import cursors
from projection.leases.cursors import CURSOR
from projection.ordering.global_order import Serial, Term
from projection.ordering.stream_leases import Parallel
from tests.integration.projector.stage import Make, Stage, life
from tests.mutants.caught import Caught, Schedule, Stages, planted
from tests.mutants.plants import NO_EFFECT

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])


class Crash(Exception):
    """The end of a process."""


async def crash(moment: str) -> None:
    """A probe: the process ends as soon as it has claimed something."""
    if moment == "claimed":
        raise Crash


def ended_before_its_effect(serial: bool) -> Schedule:
    """One ends between its claim and its effect; another does the rest."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.append("todo-2", *life("a"))
        async with stage.prepared(serial=serial, probe=crash, make=make) as worker:
            with pytest.raises(Crash):
                await worker.run()
        await stage.pass_time()
        await stage.drain(serial=serial)

    return schedule


class CheckpointFirst(Parallel):
    """Acknowledges what it claims before it works on it."""

    async def _claim(self, limit: int) -> int:
        leases = await self._leases.claim("hasty", limit=limit, ttl=self._tools.settings.lease)
        for lease in leases:
            await self._leases.acknowledge(lease, lease.version)
        await self._tools.probe("claimed")
        return len(leases)


class CursorFirst(Serial):
    """Moves the cursor to the end of the log before it works on what it passes."""

    async def _claim(self) -> Term | None:
        settings = self._tools.settings
        lease = await cursors.claim(self._tools.database, CURSOR, settings.name, ttl=settings.lease)
        async with self._tools.database.connection() as connection:
            await connection.execute("UPDATE cursors SET position = (SELECT max(position) FROM events)")
        await self._tools.probe("claimed")
        return Term(lease, lease.position) if lease else None


@MODES
async def test_checkpoint_first(stages: Stages, serial: bool) -> None:
    await stages.assert_caught(
        ended_before_its_effect(serial),
        planted(serial),
        CursorFirst if serial else CheckpointFirst,
        Caught({"lost", "mismatched_rows"}, "lost: version 2 of todo-1 (TodoUpdated, position 2) never took effect"),
        serial=serial,
    )


@MODES
async def test_checkpoint_without_effect(stages: Stages, serial: bool) -> None:
    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.drain(serial=serial, make=make)

    await stages.assert_caught(
        schedule,
        planted(serial),
        planted(serial, {"effect": NO_EFFECT}),
        Caught({"mismatched_rows"}, "todo todo-1 is missing; its events make it version 2"),
        serial=serial,
    )
