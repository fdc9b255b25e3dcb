"""What the probe makes of acknowledgements and reads; the times are given, none is measured."""

from __future__ import annotations

import pytest

from services.loadgen.judge.ledger import Todo
from services.loadgen.measure.visibility import RESOLUTION_S, WatchedTodo


def watched() -> WatchedTodo:
    """A todo that was created at version 1."""
    todo = Todo("t")
    todo.acknowledge(1, "seed")
    return WatchedTodo(todo)


async def test_latency_runs_from_the_acknowledgement_to_the_read() -> None:
    todo = watched()
    todo.acknowledge(2, "x", at=10.0)
    assert todo.show(1, at=10.1) == []
    assert todo.show(2, at=10.5) == [0.5]
    assert not todo.wake.is_set()


async def test_one_read_shows_all_versions_that_it_includes() -> None:
    todo = watched()
    todo.acknowledge(2, "x", at=10.0)
    todo.acknowledge(3, "y", at=10.2)
    todo.acknowledge(4, "z", at=10.3)
    assert todo.show(3, at=10.5) == pytest.approx([0.5, 0.3])
    assert todo.wake.is_set()
    assert todo.show(4, at=10.6) == pytest.approx([0.3])


async def test_a_version_seen_before_its_acknowledgement_took_no_time() -> None:
    todo = watched()
    todo.acknowledge(2, "x", at=10.0)
    todo.show(3, at=10.1)
    todo.acknowledge(3, "y", at=10.2)
    assert todo.show(0, at=10.15) == [0.0]


async def test_polling_gets_coarser_with_age() -> None:
    todo = watched()
    assert todo.next_poll_s(now=10.0) == RESOLUTION_S
    todo.acknowledge(2, "x", at=10.0)
    assert todo.next_poll_s(now=10.001) == RESOLUTION_S
    assert todo.next_poll_s(now=11.0) == pytest.approx(0.2)
