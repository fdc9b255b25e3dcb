"""Statistics of several shards are sums; of one they are what the store says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from eventstore.connection.pool import Usage
from eventstore.visibility.holders import Holder, Holders
from projection.stats import ProjectorStats, Stats
from services.api.shards import sums

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
PROJECTOR = ProjectorStats(
    "p", "parallel", "stream-leases", "set", "todos", True, NOW, NOW, 2, 1, 1, 5, 0, 0, None, 1, 0, 0, True, 3, 1, 0
)
ONE = Stats(NOW, 10, 4, 8, 9, NOW, 12, NOW, NOW - timedelta(seconds=2), 3, 1, [], [], [PROJECTOR])
OTHER = replace(ONE, observed_at=LATER, events=1, projected=1, pending_since=None, last_recorded_at=LATER, drains=2)


def test_one_is_told_as_it_is() -> None:
    assert sums.of_stats([ONE]) is ONE


def test_counts_are_added_and_the_oldest_counts() -> None:
    both = sums.of_stats([ONE, OTHER])
    assert (both.events, both.streams, both.projected, both.backlog) == (11, 8, 9, 2)
    assert both.last_position - both.projected_position == 6
    assert both.oldest_unprojected_age_ms == ONE.oldest_unprojected_age_ms == 2000
    assert both.last_recorded_at == LATER
    assert both.drains == 3
    assert sums.of_stats([OTHER, OTHER]).pending_since is None


def test_a_projector_of_both_is_one() -> None:
    (one,) = sums.of_stats([ONE, OTHER]).projectors
    assert (one.holder, one.events_projected, one.leases_held, one.connections_open) == ("p", 10, 4, 6)
    assert one.alive
    gone = replace(OTHER, projectors=[replace(PROJECTOR, alive=False, waiting="why")])
    (one,) = sums.of_stats([ONE, gone]).projectors
    assert not one.alive
    assert one.waiting == "why"
    other = replace(OTHER, projectors=[replace(PROJECTOR, holder="q")])
    assert [one.holder for one in sums.of_stats([ONE, other]).projectors] == ["p", "q"]


def test_who_holds_most_back_is_named() -> None:
    near, far = (Holder("session", 1, "s", None, None, behind) for behind in (3, 30))
    both = sums.of_holders([Holders(NOW, 2, near, None), Holders(LATER, 5, far, near)])
    assert both == Holders(NOW, 7, far, near)
    assert sums.of_usage([Usage(1, 2, 3, 4), Usage(10, 20, 30, 40)]) == Usage(11, 22, 33, 44)
