"""How many requests may be under way, when that is forgotten, and what of a request is seen before it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.api.serving.admission import ALWAYS, FEWEST, LOOKS, MOST, Admission, Interval, least, limit
from services.api.serving.unread import NOT_PLAIN, SHORT, unread

BOUND_S = 0.1
LEAST = least(BOUND_S)


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([(200, 0.1)] * LOOKS, 1000),
        ([(200, 0.1)] * (LOOKS // 2), 1000),
        ([(200, 0.1)] * (LOOKS // 2 - 1), MOST),
        ([(0, 0.1)] * 5 + [(200, 0.1)] * 5, 500),
        ([(0, 0.1)] * LOOKS, ALWAYS),
        ([(3, 0.1)] * LOOKS, ALWAYS),
        ([(100_000, 0.1)] * LOOKS, MOST),
        ([], MOST),
    ],
    ids=["steady", "half", "too short", "a pause", "nothing", "slow", "fast", "never looked"],
)
def test_as_many_as_are_answered_in_half_of_the_bound(intervals: Sequence[Interval], expected: int) -> None:
    assert limit(intervals, 1.0) == expected


@pytest.mark.parametrize(("latency_max_s", "expected"), [(60.0, ALWAYS), (1.0, ALWAYS), (0.2, 51), (0.01, FEWEST)])
def test_what_is_never_too_many_is_fewer_for_a_shorter_bound(latency_max_s: float, expected: int) -> None:
    assert least(latency_max_s) == expected
    assert limit([(0, latency_max_s / LOOKS)] * LOOKS, latency_max_s) == expected


class Clock:
    """The event loop's time, which moves by hand: from one look of an admission to the next."""

    def __init__(self, now: float) -> None:
        self.now = now

    async def look(self, times: int = 1) -> None:
        """Let so many looks be due, one after another, and be taken."""
        for _ in range(times):
            self.now += BOUND_S / LOOKS
            for _ in range(2):
                await asyncio.sleep(0)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """It stands still between two looks."""
    loop = asyncio.get_running_loop()
    stands = Clock(loop.time())
    monkeypatch.setattr(loop, "time", lambda: stands.now)
    return stands


def crowded() -> Admission:
    """One with a request more under way than are always admitted."""
    admission = Admission(BOUND_S, b"")
    for _ in range(LEAST + 1):
        admission.enter()
    return admission


async def test_a_store_that_answers_nothing_leaves_room_for_no_more_than_always_fit(clock: Clock) -> None:
    admission = crowded()
    await clock.look(LOOKS // 2 - 1)
    assert not admission.full
    await clock.look()
    assert (admission.full, admission.limit) == (True, LEAST)

    for _ in range(LEAST + 1):
        admission.leave()
    assert not admission.full
    await clock.look()
    assert (admission.limit, admission.under_way) == (MOST, 0)


async def test_it_stays_bounded_as_long_as_requests_are_refused(clock: Clock) -> None:
    admission = crowded()
    await clock.look(LOOKS)
    admission.leave()
    admission.leave()
    for _ in range(3 * LOOKS):
        admission.refused += 1
        await clock.look()
        assert admission.limit == LEAST
    await clock.look()
    assert admission.limit == MOST


async def test_few_requests_are_never_looked_at(clock: Clock) -> None:
    admission = Admission(BOUND_S, b"")
    for _ in range(LEAST):
        admission.enter()
    await clock.look(LOOKS)
    assert admission.limit == MOST


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ([b"POST /todos HTTP/1.1", b"Host: a", b"Content-Length: 16"], 16),
        ([b"POST /todos HTTP/1.1", b"content-length:16 "], 16),
        ([b"GET /todos?limit=3 HTTP/1.1", b"Connection: keep-alive"], 0),
        ([b"GET /todos HTTP/1.1", b"Connection: Close"], None),
        ([b"GET /todos HTTP/1.1", b"Connection: keep-alive, close"], None),
        ([b"POST /todos HTTP/1.1", b"Transfer-Encoding: chunked"], None),
        ([b"POST /todos HTTP/1.1", b"Expect: 100-continue", b"Content-Length: 16"], None),
        ([b"POST /todos HTTP/1.1", b"Content-Length: 16", b"Content-Length: 17"], None),
        ([b"POST /todos HTTP/1.1", b"Content-Length: +16"], None),
        ([b"POST /todos HTTP/1.1", b"Content-Length: 16, 17"], None),
    ],
)
def test_a_plain_request_is_known_by_its_bytes(lines: list[bytes], body: int | None) -> None:
    head = b"\r\n".join([*lines, b"", b""])
    assert unread(head + b"what follows") == (b"/todos", len(head), body)
    long = head[:-2] + b"X: " + b"x" * SHORT + b"\r\n\r\n"
    assert unread(long) == (b"/todos", len(long), body)


@pytest.mark.parametrize(
    "data",
    [
        b"GET /todos HTTP/1.1\r\nHost: a\r\n",
        b"GET /todos HTTP/1.0\r\n\r\n",
        b"GET /todos\r\n\r\n",
        b"GET  /todos HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
        b"GET /todos HTTP/1.1\nHost: a\n\n",
    ],
)
def test_what_is_not_plain_is_for_the_parser(data: bytes) -> None:
    assert unread(data) == NOT_PLAIN
