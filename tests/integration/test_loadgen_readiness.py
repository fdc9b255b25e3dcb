"""A server on which something is blocked is not waited for: the run is over before it begins, with the reason."""

from __future__ import annotations

import asyncio

import pytest

from services.loadgen.workload.readiness import NotQuiet, take_baseline
from tests.fakes.todo_server import FakeTodoServer


@pytest.mark.parametrize(
    ("serial", "why"),
    [(False, "stream t at version 3: planted"), (True, "the whole projection at position 3: planted")],
    ids=["parallel", "serial"],
)
async def test_what_is_blocked_ends_the_wait_at_once(serial: bool, why: str) -> None:
    async with FakeTodoServer("stuck", serial=serial) as server:
        server.writes = 1000
        server.preload(1)
        server.blocked["t"] = 3
        with pytest.raises(NotQuiet, match=why) as refused:
            await asyncio.to_thread(take_baseline, server.base_url, 2.0)
    # Whoever waits calls POST /drain first.
    assert server.drain_count == 0
    assert refused.value.judgement.verdict == "blocked"
