"""How much goes into one statement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eventstore.connection.database import Database
from projection.leases.contract import Lease
from projection.leases.work import Work, portions
from projection.statement.handler import SetHandler
from projection.strategy import Tools
from services.projector.settings import Settings
from tests.integration.projector.stage import Moments


def work(stream: str, events: int) -> Work:
    return Work(Lease(stream, "one", 1, 3, 3 + events), 1000, 0.0)


@pytest.mark.parametrize(
    ("sizes", "most", "expected"),
    [
        ([], 10, []),
        ([3], 10, [[3]]),
        ([4, 4, 4, 4], 8, [[4, 4], [4, 4]]),
        ([5, 5, 5], 8, [[5, 5], [5]]),
        ([100, 1, 1], 10, [[10], [1, 1]]),
    ],
)
def test_portions_keep_the_order_and_end_at_the_bound(sizes: list[int], most: int, expected: list[list[int]]) -> None:
    works = [work(f"todo-{number}", events) for number, events in enumerate(sizes)]

    found = list(portions(works, most))

    assert [[one.events for one in portion] for portion in found] == expected
    assert [one.lease for portion in found for one in portion] == [one.lease for one in works]


def test_what_was_refused_comes_last_and_alone() -> None:
    works = [replace(work("d", 9), refused=3), work("a", 1), replace(work("b", 1), refused=1), work("c", 1)]

    found = [[one.lease.stream for one in portion] for portion in portions(works, 5)]

    assert found == [["a", "c"], ["b"], ["d"]]


def test_what_may_be_applied_bounds_the_events_of_a_lease() -> None:
    assert Work(Lease("todo", "one", 1, 3, 50), 10, 0.0).events == 7


@pytest.mark.parametrize(("latency", "expected"), [(0.0, 200), (0.001, 100), (0.03, 3), (0.1, 1), (60.0, 1)])
def test_a_costly_handler_shares_a_transaction_with_fewer_events(latency: float, expected: int) -> None:
    url = "postgresql://user:word@127.0.0.1/todos"
    tools = Tools(Database(url), Settings(url, handler_latency=latency), 0, SetHandler(()), Moments())

    assert tools.events_at_once(200) == expected
