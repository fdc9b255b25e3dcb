"""Ready is an API that has one shard to serve, whatever becomes of the others: one that is silent is not waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.api.routes.health import troubles


def finding(found: str) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        return found

    return look


async def test_one_that_gives_no_answer_is_not_waited_for() -> None:
    never = asyncio.Event()
    ended: list[bool] = []

    async def silent() -> str:
        try:
            await never.wait()
        finally:
            ended.append(True)
        return "silent"

    async with asyncio.timeout(10):
        assert await troubles([silent, finding("")]) == []
        assert await troubles([finding("away"), silent, finding("")]) == []
    # It was not broken off, which would cost a connection.
    assert not ended
    never.set()


async def test_why_none_can_serve_is_told_of_each() -> None:
    assert await troubles([finding("shard 1 of 2: away"), finding("shard 0 of 2: unsound")]) == [
        "shard 0 of 2: unsound",
        "shard 1 of 2: away",
    ]
    assert await troubles([finding("away")]) == ["away"]
    assert await troubles([finding("")]) == []


async def test_a_look_that_fails_keeps_no_other_from_serving() -> None:
    async def defect() -> str:
        raise ZeroDivisionError

    assert await troubles([defect, finding("")]) == []
    with pytest.raises(ZeroDivisionError):
        await troubles([defect, finding("away")])
