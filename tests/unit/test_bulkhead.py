"""A shard that gives no answer takes no room from the others: what waits for it is put aside, and bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from eventstore.errors import StoreBusy, StoreUnavailable, VersionConflict
from services.api.serving.admission import FEWEST, Admission
from services.api.shards import bulkhead
from services.api.shards.bulkhead import Behind, Bulkhead, ways


class Shard:
    """One that answers when it is told to, and is looked at when the test says that the time has come."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.admission = Admission(0.01, b"")
        self.bulkhead = Bulkhead(self.admission, "shard 1 of 2")
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.asked: list[asyncio.Task[str]] = []
        self._looks: list[Callable[[], None]] = []
        clock = SimpleNamespace(call_later=self._call_later)
        stands_in = SimpleNamespace(get_running_loop=lambda: clock, CancelledError=asyncio.CancelledError)
        monkeypatch.setattr(bulkhead, "asyncio", stands_in)

    def _call_later(self, _: float, look: Callable[[], None]) -> Callable[[], None]:
        self._looks.append(look)
        return look

    def look(self) -> None:
        """As long as the bound on latency has passed."""
        (look,) = self._looks
        self._looks.clear()
        look()

    async def request(self) -> str:
        """What the server counts, around what the bulkhead sees."""
        self.admission.enter()
        try:
            return await self.bulkhead.through(lambda: asyncio.shield(self.answer))
        finally:
            self.admission.leave()

    async def ask(self, count: int) -> None:
        self.asked += [asyncio.create_task(self.request()) for _ in range(count)]
        await asyncio.sleep(0)

    async def end(self, outcome: BaseException | None = None) -> list[str | BaseException]:
        """Answer all that wait."""
        if outcome is None:
            self.answer.set_result("answer")
        else:
            self.answer.set_exception(outcome)
        return await asyncio.gather(*self.asked, return_exceptions=True)


async def test_what_waits_for_a_silent_shard_is_not_under_way_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    shard = Shard(monkeypatch)
    await shard.ask(3 * FEWEST)
    assert shard.admission.under_way == 3 * FEWEST
    shard.look()
    assert shard.bulkhead.silent
    assert shard.admission.under_way == 0
    with pytest.raises(StoreBusy, match="shard 1 of 2 gives no answer"):
        await shard.request()
    assert shard.admission.under_way == 0
    assert await shard.end() == ["answer"] * 3 * FEWEST
    assert not shard.bulkhead.silent
    assert shard.admission.under_way == 0


async def test_some_may_ask_whether_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    shard = Shard(monkeypatch)
    await shard.ask(1)
    shard.look()
    assert shard.bulkhead.silent
    await shard.ask(FEWEST - 1)
    assert shard.admission.under_way == 0
    with pytest.raises(StoreBusy):
        await shard.request()
    ended = await shard.end(StoreUnavailable("no answer"))
    assert {type(one) for one in ended} == {StoreUnavailable}
    # Nobody was told anything, so it is silent still, and the next one asks.
    assert shard.bulkhead.silent
    assert shard.admission.under_way == 0
    shard.answer = asyncio.get_running_loop().create_future()
    shard.asked.clear()
    await shard.ask(1)
    assert {type(one) for one in await shard.end(VersionConflict("s", 1, 2))} == {VersionConflict}
    assert not shard.bulkhead.silent
    assert shard.admission.under_way == 0


async def test_one_that_answers_is_not_silent_however_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    shard = Shard(monkeypatch)
    await shard.ask(3 * FEWEST)
    for _ in range(3):
        # Somebody else is answered meanwhile.
        assert await shard.bulkhead.through(lambda: asyncio.sleep(0, "answer")) == "answer"
        shard.look()
    assert not shard.bulkhead.silent
    assert shard.admission.under_way == 3 * FEWEST
    await shard.end()
    assert shard.admission.under_way == 0


async def test_what_a_caller_asks_goes_through_and_one_shard_has_no_bulkhead() -> None:
    async def told(*arguments: object, **named: object) -> Any:
        return (*arguments, *named.values())

    store = SimpleNamespace(append=told, read_stream=told)
    way: Any = SimpleNamespace(store=store, find=told, page=told, name="shard 0 of 2")
    behind: Any = Behind(way, "shard 0 of 2", Admission(1.0, b""))
    assert await behind.store.append("s", [], expected=3, key=None) == ("s", [], 3, None)
    assert await behind.store.read_stream("s", after=1, limit=2) == ("s", 1, 2)
    assert await behind.find("id") == ("id",)
    assert await behind.page(after="id", limit=2) == ("id", 2)
    assert ways([way], Admission(1.0, b"")) == [way]
    assert [type(one) for one in ways([way, way], Admission(1.0, b""))] == [Behind, Behind]
