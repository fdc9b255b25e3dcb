"""What the probe makes of acknowledgements and reads; the times are given, none is measured."""

from __future__ import annotations

import pytest

from services.loadgen.judge.todo import Todo
from services.loadgen.measure.watched_todo import RESOLUTION_S, Read, Seen, WatchedTodo


def watched() -> WatchedTodo:
    """A todo that was created at version 1."""
    todo = Todo("t")
    todo.acknowledge(1, "seed")
    return WatchedTodo(todo)


def show(todo: WatchedTodo, version: int, at: float, *, sent_at: float | None = None) -> list[Seen]:
    """A read showed that version; it was sent 0.05 s before its answer unless told."""
    return todo.look(Read(version, at - 0.05 if sent_at is None else sent_at, at, todo.shown))[0]


def latencies(seen: list[Seen]) -> list[float]:
    """Of those writes."""
    return [one.latency_s for one in seen]


async def test_latency_runs_from_the_acknowledgement_to_the_read() -> None:
    todo = watched()
    todo.acknowledge(2, "x", at=10.0)
    assert latencies(show(todo, 1, at=10.1)) == []
    assert latencies(show(todo, 2, at=10.5)) == [0.5]
    assert not todo.wake.is_set()


async def test_one_read_shows_all_versions_that_it_includes() -> None:
    todo = watched()
    todo.acknowledge(2, "x", at=10.0)
    todo.acknowledge(3, "y", at=10.2)
    todo.acknowledge(4, "z", at=10.3)
    assert latencies(show(todo, 3, at=10.5)) == pytest.approx([0.5, 0.3])
    assert todo.wake.is_set()
    assert latencies(show(todo, 4, at=10.6)) == pytest.approx([0.3])


async def test_a_version_seen_before_its_acknowledgement_took_no_time() -> None:
    todo = watched()
    todo.acknowledge(2, "x", at=10.0)
    show(todo, 3, at=10.1)
    todo.acknowledge(3, "y", at=10.2)
    (seen,) = show(todo, 0, at=10.15)
    assert (seen.latency_s, seen.interval_s) == (0.0, (0.0, 0.0))


async def test_a_read_that_goes_back_shows_no_write_that_it_does_not_show() -> None:
    todo = watched()
    show(todo, 3, at=10.1)
    todo.acknowledge(3, "y", at=10.2)
    (seen,) = show(todo, 2, at=10.9, sent_at=10.8)
    assert (seen.read.answered_at, seen.latency_s, seen.write.next_read) == (10.1, 0.0, False)
    todo.acknowledge(4, "z", at=11.0)
    assert show(todo, 3, at=11.2) == []
    assert latencies(show(todo, 4, at=11.5)) == [0.5]


async def test_a_write_that_an_earlier_read_shows_still_has_a_next_read() -> None:
    """The freshest writes are shown by a read that was under way at their acknowledgement: they count as well."""
    todo = watched()
    write = todo.acknowledge(2, "x", at=10.0)
    seen, next_of = todo.look(Read(2, 9.9, 10.1))
    assert ([one.write for one in seen], next_of, todo.waiting) == ([write], [], {})
    assert todo.look(Read(1, 10.1, 10.2))[1] == [write]
    assert write.next_read is False
    assert todo.look(Read(2, 10.2, 10.3)) == ([], [])


async def test_polling_gets_coarser_with_age() -> None:
    todo = watched()
    assert todo.next_poll_s(now=10.0) == RESOLUTION_S
    todo.acknowledge(2, "x", at=10.0)
    assert todo.next_poll_s(now=10.001) == RESOLUTION_S
    assert todo.next_poll_s(now=11.0) == pytest.approx(0.2)


async def test_a_write_is_known_to_the_interval_between_two_reads_by_when_they_were_sent() -> None:
    """And not by when they were answered: a user waits before the read, not after it."""
    todo = watched()
    todo.acknowledge(2, "x", at=10.0)
    show(todo, 1, sent_at=9.999, at=10.001)
    assert todo.waiting[2].unseen_at is None, "a read that was sent before the acknowledgement says nothing of it"
    show(todo, 1, sent_at=10.002, at=10.009)
    show(todo, 1, sent_at=10.010, at=10.012)
    (seen,) = show(todo, 2, sent_at=10.014, at=10.020)
    assert seen.interval_s == pytest.approx((0.010, 0.014))
    assert seen.latency_s == pytest.approx(0.020)


async def test_without_a_read_before_it_the_interval_begins_at_the_acknowledgement() -> None:
    todo = watched()
    todo.acknowledge(2, "x", at=10.0)
    (seen,) = show(todo, 2, sent_at=10.001, at=10.003)
    assert seen.interval_s == pytest.approx((0.0, 0.001))


@pytest.mark.parametrize("version", [1, 2])
async def test_the_next_read_is_the_first_that_was_sent_after_the_acknowledgement(version: int) -> None:
    todo = watched()
    write = todo.acknowledge(2, "x", at=10.0)
    assert todo.look(Read(1, 9.9, 10.1))[1] == []
    assert todo.look(Read(version, 10.1, 10.2))[1] == [write]
    assert todo.look(Read(2, 10.2, 10.3))[1] == []
    assert write.next_read is (version == 2)


async def test_a_read_goes_back_when_an_answer_before_it_had_shown_more() -> None:
    assert Read(2, sent_at=1.0, answered_at=1.1, floor=3).goes_back
    assert not Read(3, sent_at=1.0, answered_at=1.1, floor=3).goes_back
    assert Read(0, sent_at=1.0, answered_at=1.1, floor=1).goes_back, "what was there is not found"
