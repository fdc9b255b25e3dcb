"""How many requests may be under way, when that is forgotten, and what of a request is seen before it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.api.serving.admission import ALWAYS, LOOKS, MOST, Admission, Interval, limit
from services.api.serving.unread import NOT_PLAIN, SHORT, unread

BOUND_S = 10.0


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


async def reach(admission: Admission, expected: int) -> None:
    async with asyncio.timeout(BOUND_S):
        while admission.limit != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_store_that_answers_nothing_leaves_room_for_no_more_than_always_fit() -> None:
    admission = Admission(0.1, b"")
    for _ in range(ALWAYS + 1):
        admission.enter()
    assert not admission.full
    await reach(admission, ALWAYS)
    assert admission.full

    for _ in range(ALWAYS + 1):
        admission.leave()
    assert not admission.full
    await reach(admission, MOST)
    assert admission.under_way == 0


async def test_it_stays_bounded_as_long_as_requests_are_refused() -> None:
    admission = Admission(0.1, b"")
    for _ in range(ALWAYS + 1):
        admission.enter()
    await reach(admission, ALWAYS)
    admission.leave()
    admission.leave()
    for _ in range(3 * LOOKS):
        admission.refused += 1
        await asyncio.sleep(0.1 / LOOKS)
        if admission.limit == MOST:
            # The loop was late: no refusal came between two looks.
            admission.enter()
            admission.enter()
            await reach(admission, ALWAYS)
    await reach(admission, MOST)


async def test_few_requests_are_never_looked_at() -> None:
    admission = Admission(0.02, b"")
    for _ in range(ALWAYS):
        admission.enter()
    await asyncio.sleep(0.05)
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
