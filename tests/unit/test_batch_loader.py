"""Lookups in company: shared, fresh, and each failing only with its own query."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from services.api.reading.batch_loader import MAX_BATCH, BatchLoader


class Shelf:
    """A look-up that waits at a gate, and remembers what it was asked together."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.gate = asyncio.Event()
        self.values = {"a": 1, "b": 2, "c": 3}
        self.broken = False

    async def __call__(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.asked.append(list(keys))
        found = {key: self.values[key] for key in keys if key in self.values}
        await self.gate.wait()
        if self.broken:
            raise OSError("away")
        return found


async def test_what_comes_while_a_query_runs_shares_the_next_one() -> None:
    shelf = Shelf()
    find = BatchLoader(shelf, lanes=1)
    tasks = []
    for key in ("a", "b", "c", "b", "unknown"):
        tasks.append(asyncio.create_task(find(key)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    shelf.gate.set()
    assert await asyncio.gather(*tasks) == [1, 2, 3, 2, None]
    assert shelf.asked == [["a"], ["b", "c", "unknown"]]


async def test_an_answer_comes_from_a_query_that_began_after_the_call() -> None:
    shelf = Shelf()
    find = BatchLoader(shelf, lanes=1)
    first = asyncio.create_task(find("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    shelf.values["a"] = 10
    second = asyncio.create_task(find("a"))
    await asyncio.sleep(0)
    shelf.gate.set()
    assert (await first, await second) == (1, 10)


async def test_a_failure_reaches_those_who_share_it_and_nobody_after() -> None:
    shelf = Shelf()
    shelf.broken = True
    find = BatchLoader(shelf, lanes=1)
    tasks = [asyncio.create_task(find(key)) for key in ("a", "b")]
    await asyncio.sleep(0)
    shelf.gate.set()
    assert [type(error) for error in await asyncio.gather(*tasks, return_exceptions=True)] == [OSError, OSError]
    shelf.broken = False
    assert await find("c") == 3


async def test_a_caller_that_goes_away_disturbs_nobody() -> None:
    shelf = Shelf()
    find = BatchLoader(shelf, lanes=1)
    gone, stays = asyncio.create_task(find("a")), asyncio.create_task(find("a"))
    await asyncio.sleep(0)
    gone.cancel()
    shelf.gate.set()
    assert await stays == 1
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_query_takes_a_bounded_number_of_keys() -> None:
    shelf = Shelf()
    shelf.gate.set()
    find = BatchLoader(shelf, lanes=1)
    await asyncio.gather(*(find(str(key)) for key in range(3 * MAX_BATCH)))
    assert max(len(keys) for keys in shelf.asked) == MAX_BATCH
