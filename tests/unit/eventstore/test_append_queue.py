"""Which appends go together, which wait, and that nobody is passed over for ever."""

from __future__ import annotations

import asyncio

from eventstore.append.general import Append
from eventstore.append.queue import AppendQueue, Queued
from eventstore.events import NO_STREAM, Appended, IdempotencyKey


def queued(stream: str, key: str | None = None, *, alone: bool = False) -> Queued:
    append = Append(stream, ("A",), ("{}",), NO_STREAM, IdempotencyKey(key, "body") if key else None)
    return Queued(append, asyncio.get_running_loop().create_future(), alone=alone)


def queue_of(*appends: Queued) -> AppendQueue:
    queue = AppendQueue()
    for append in appends:
        queue.push(append)
    return queue


def streams(batch: list[Queued]) -> list[str]:
    return [one.append.stream for one in batch]


async def test_first_come_first_served_up_to_the_most() -> None:
    queue = queue_of(*(queued(name) for name in "abcde"))

    assert streams(queue.next_batch(3)) == ["a", "b", "c"]
    assert streams(queue.next_batch(3)) == ["d", "e"]
    assert queue.next_batch(3) == []


async def test_one_stream_and_one_key_are_never_under_way_twice() -> None:
    queue = queue_of(queued("a", "k"), queued("a"), queued("b", "k"), queued("c"))

    first = queue.next_batch(9)
    assert streams(first) == ["a", "c"]
    assert queue.next_batch(9) == []
    queue.release(first)
    assert streams(queue.next_batch(9)) == ["a", "b"]


async def test_order_within_a_stream_is_kept() -> None:
    early, late = queued("a"), queued("a")
    queue = queue_of(queued("a"), early, late)

    queue.release(queue.next_batch(1))
    second = queue.next_batch(9)
    assert second == [early]
    queue.release(second)
    assert queue.next_batch(9) == [late]


async def test_callers_that_have_gone_are_dropped() -> None:
    gone, stays = queued("a"), queued("a")
    gone.answer.cancel()
    queue = queue_of(gone, stays)

    assert queue.next_batch(9) == [stays]
    assert len(queue) == 0


async def test_who_goes_alone_lets_the_others_go_first_and_is_next() -> None:
    queue = queue_of(queued("a"), queued("b", alone=True), queued("c"), queued("d", alone=True))

    assert streams(queue.next_batch(9)) == ["a", "c"]
    assert streams(queue.next_batch(9)) == ["b"]
    assert streams(queue.next_batch(9)) == ["d"]


async def test_who_is_returned_stands_before_all_others() -> None:
    queue = queue_of(queued("a"), queued("b"), queued("c"))
    batch = queue.next_batch(2)
    queue.release(batch)
    queue.push_front(batch)

    assert streams(queue.next_batch(9)) == ["a", "b", "c"]


async def test_of_locked_streams_one_at_a_time_is_tried() -> None:
    queue = queue_of(queued("a"), queued("x"), queued("y"), queued("b"))
    queue.locked = {"x", "y"}

    assert streams(queue.next_batch(9)) == ["a", "b"]
    tried = queue.next_batch(9)
    assert streams(tried) == ["x"]
    assert queue.next_batch(9) == []
    queue.release(tried)
    assert streams(queue.next_batch(9)) == ["y"]


async def test_an_answer_is_told_once() -> None:
    told = queued("a")
    told.tell(Appended("a", 1, 1))  # type: ignore[arg-type]
    told.tell(RuntimeError("late"))

    assert (await told.answer).version == 1
