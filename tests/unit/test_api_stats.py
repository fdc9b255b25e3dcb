"""What `/stats` says of the mode: that of the projectors, not that of the API's own settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from eventstore.visibility.holders import Holders
from projection.stats import ProjectorStats, Stats
from services.api.routes.stats import document
from todo.read_models.todos import TodoCounts

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = Holders(NOW, 0, None, None)
NOTHING = Stats(NOW, 0, 0, 0, 0, None, 0, None, None, 0, 0, [], [], [])


def projector(mode: str, *, alive: bool, strategy: str | None = None) -> ProjectorStats:
    """One projector that did nothing yet."""
    return ProjectorStats(
        f"{mode}-{alive}",
        mode,
        strategy,
        "set" if strategy else None,
        "todos" if strategy else None,
        alive,
        NOW,
        NOW,
        0,
        0,
        0,
        0,
        0,
        0,
        None,
        1,
        0,
        0,
        True,
        1,
        0,
        0,
        None,
    )


ALIVE_SERIAL, ALIVE_PARALLEL = projector("serial", alive=True), projector("parallel", alive=True)
DEAD_SERIAL, DEAD_PARALLEL = projector("serial", alive=False), projector("parallel", alive=False)


@pytest.mark.parametrize(
    ("projectors", "configured", "serial"),
    [
        ([], True, True),
        ([], False, False),
        ([ALIVE_SERIAL], False, True),
        ([ALIVE_PARALLEL], True, False),
        ([ALIVE_SERIAL, DEAD_PARALLEL], False, True),
        ([ALIVE_PARALLEL, DEAD_SERIAL], True, False),
        ([ALIVE_SERIAL, ALIVE_PARALLEL], True, False),
        ([DEAD_SERIAL, DEAD_PARALLEL], False, True),
        ([DEAD_PARALLEL, DEAD_SERIAL], True, False),
    ],
)
def test_the_mode_is_that_of_the_projectors(projectors: list[ProjectorStats], configured: bool, serial: bool) -> None:
    stats = document(replace(NOTHING, projectors=projectors), TodoCounts(0, 0), NOBODY, [], serial=configured)
    assert stats.serial_projection is serial


LEASES = projector("parallel", alive=True, strategy="stream-leases")
LOCKS = projector("parallel", alive=True, strategy="stream-locks")
ENDED = projector("serial", alive=False, strategy="global-order")


@pytest.mark.parametrize(
    ("projectors", "strategies"),
    [
        ([], []),
        ([LEASES, ENDED], ["stream-leases"]),
        ([LOCKS, LEASES, LEASES, ENDED], ["stream-leases", "stream-locks"]),
        ([ENDED, replace(LEASES, alive=False)], ["global-order"]),
        ([DEAD_PARALLEL], []),
    ],
    ids=["nobody yet", "one lives", "two live", "nobody lives", "ended before it could say"],
)
def test_the_strategies_are_those_of_the_projectors(projectors: list[ProjectorStats], strategies: list[str]) -> None:
    stats = document(replace(NOTHING, projectors=projectors), TodoCounts(0, 0), NOBODY, [], serial=True)
    assert stats.strategies == strategies
