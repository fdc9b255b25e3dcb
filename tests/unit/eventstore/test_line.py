"""Which appends go together, which wait, and that nobody is passed over for ever."""

from __future__ import annotations

import asyncio

from eventstore.append.queue import Line, Waiting
from eventstore.append.statement import Append
from eventstore.events import NO_STREAM, Appended, IdempotencyKey


def waiting(stream: str, key: str | None = None, *, alone: bool = False) -> Waiting:
    append = Append(stream, ("A",), ("{}",), NO_STREAM, IdempotencyKey(key, "body") if key else None)
    return Waiting(append, asyncio.get_running_loop().create_future(), alone=alone)


def line_of(*appends: Waiting) -> Line:
    line = Line()
    for append in appends:
        line.join(append)
    return line


def streams(group: list[Waiting]) -> list[str]:
    return [one.append.stream for one in group]


async def test_first_come_first_served_up_to_the_most() -> None:
    line = line_of(*(waiting(name) for name in "abcde"))

    assert streams(line.gather(3)) == ["a", "b", "c"]
    assert streams(line.gather(3)) == ["d", "e"]
    assert line.gather(3) == []


async def test_one_stream_and_one_key_are_never_under_way_twice() -> None:
    line = line_of(waiting("a", "k"), waiting("a"), waiting("b", "k"), waiting("c"))

    first = line.gather(9)
    assert streams(first) == ["a", "c"]
    assert line.gather(9) == []
    line.release(first)
    assert streams(line.gather(9)) == ["a", "b"]


async def test_order_within_a_stream_is_kept() -> None:
    early, late = waiting("a"), waiting("a")
    line = line_of(waiting("a"), early, late)

    line.release(line.gather(1))
    second = line.gather(9)
    assert second == [early]
    line.release(second)
    assert line.gather(9) == [late]


async def test_callers_that_have_gone_are_dropped() -> None:
    gone, stays = waiting("a"), waiting("a")
    gone.answer.cancel()
    line = line_of(gone, stays)

    assert line.gather(9) == [stays]
    assert len(line) == 0


async def test_who_goes_alone_lets_the_others_go_first_and_is_next() -> None:
    line = line_of(waiting("a"), waiting("b", alone=True), waiting("c"), waiting("d", alone=True))

    assert streams(line.gather(9)) == ["a", "c"]
    assert streams(line.gather(9)) == ["b"]
    assert streams(line.gather(9)) == ["d"]


async def test_who_is_returned_stands_before_all_others() -> None:
    line = line_of(waiting("a"), waiting("b"), waiting("c"))
    group = line.gather(2)
    line.release(group)
    line.return_to_front(group)

    assert streams(line.gather(9)) == ["a", "b", "c"]


async def test_of_locked_streams_one_at_a_time_is_tried() -> None:
    line = line_of(waiting("a"), waiting("x"), waiting("y"), waiting("b"))
    line.locked = {"x", "y"}

    assert streams(line.gather(9)) == ["a", "b"]
    tried = line.gather(9)
    assert streams(tried) == ["x"]
    assert line.gather(9) == []
    line.release(tried)
    assert streams(line.gather(9)) == ["y"]


async def test_an_answer_is_told_once() -> None:
    told = waiting("a")
    told.tell(Appended("a", 1, 1))  # type: ignore[arg-type]
    told.tell(RuntimeError("late"))

    assert (await told.answer).version == 1
