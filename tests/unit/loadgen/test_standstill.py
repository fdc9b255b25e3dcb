"""The handshake of the hold: an order is carried out, refused, or given up, and nobody waits for nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from metrics.records.sections.hold import ASKED, TOLD, Order, Told, asked, tell
from services.loadgen.distributed.standstill import NOBODY, Standstill

STANDING = Told("standing", projectors=2, stood_at=5.0)


async def answered(folder: Path, order: Order, *answers: Told) -> Told:
    """What an order comes to, where the other side says this once it has seen it."""
    tell(folder, Told("ready"))
    under_way = asyncio.create_task(Standstill(folder, within_s=20.0).order(order))
    async with asyncio.timeout(20.0):
        while True:
            if asked(folder) == order:
                break
            await asyncio.sleep(0.001)
    for answer in answers:
        tell(folder, answer)
        await asyncio.sleep(0.03)
    return await under_way


async def test_an_order_is_given_and_its_answer_brought(tmp_path: Path) -> None:
    assert await answered(tmp_path, "stand still", STANDING) == STANDING
    over = Told("going on", went_on_at=10.0, stood_at=5.0, resolution_s=0.001)
    assert await answered(tmp_path, "go on", over) == over


async def test_an_answer_to_the_order_before_is_none(tmp_path: Path) -> None:
    over = Told("going on", went_on_at=10.0)
    assert await answered(tmp_path, "go on", STANDING, over) == over


async def test_without_anybody_who_leads_the_run_no_order_is_given(tmp_path: Path) -> None:
    alone = Standstill(tmp_path)
    assert alone.impossible == NOBODY
    assert await alone.order("stand still") == Told("left out", NOBODY)
    assert not (tmp_path / ASKED).exists()


async def test_who_lacks_the_power_says_so(tmp_path: Path) -> None:
    lack = Told("left out", "platform attached has no power to pause the projector")
    tell(tmp_path, lack)
    assert await Standstill(tmp_path).order("stand still") == lack


async def test_a_hold_of_another_run_is_none_of_this_one(tmp_path: Path) -> None:
    tell(tmp_path, Told("going on", went_on_at=10.0))
    assert Standstill(tmp_path).impossible == NOBODY


async def test_an_order_that_nobody_carries_out_is_given_up(tmp_path: Path) -> None:
    tell(tmp_path, Told("ready"))
    found = await Standstill(tmp_path, within_s=0.05).order("stand still")
    assert found == Told("left out", "the order to stand still was not carried out within 0.05 s")


async def test_an_answer_that_can_not_be_read_says_where(tmp_path: Path) -> None:
    tell(tmp_path, Told("ready"))
    under_way = Standstill(tmp_path, within_s=0.05)
    (tmp_path / TOLD).write_text("{")
    assert (await under_way.order("go on")).state == "left out"
    assert str(tmp_path / TOLD) in Standstill(tmp_path).impossible
