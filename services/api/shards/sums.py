"""Sums over shards: statistics of each, taken beside one another and so not of one instant, as those of one store.

Counts are added. Positions compare within a shard alone, so their sums say how far all have come, and their difference
is the sum of the lags. What is of one store is told as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from operator import attrgetter

from eventstore.connection.pool import Usage
from eventstore.visibility.holders import Holder, Holders
from projection.stats import ProjectorStats, Stats
from todo.read_models.todos import TodoCounts

RECENT = 10


def of_stats(each: Sequence[Stats]) -> Stats:
    """The events, the backlog and the projectors of all."""
    if len(each) == 1:
        return each[0]
    observed = min(one.observed_at for one in each)
    oldest_ms = max(one.oldest_unprojected_age_ms for one in each)
    recent = sorted(chain.from_iterable(one.recent for one in each), key=attrgetter("projected_at"), reverse=True)
    return Stats(
        observed_at=observed,
        events=_sum(each, lambda one: one.events),
        streams=_sum(each, lambda one: one.streams),
        projected=_sum(each, lambda one: one.projected),
        projected_position=_sum(each, lambda one: one.projected_position),
        projected_at=_latest(one.projected_at for one in each),
        last_position=_sum(each, lambda one: one.last_position),
        last_recorded_at=_latest(one.last_recorded_at for one in each),
        pending_since=observed - timedelta(milliseconds=oldest_ms) if oldest_ms else None,
        # Each shard counts the same wake-ups.
        drains=max(one.drains for one in each),
        blocked_streams=_sum(each, lambda one: one.blocked_streams),
        recent=recent[:RECENT],
        blocked=list(chain.from_iterable(one.blocked for one in each)),
        projectors=_projectors(chain.from_iterable(one.projectors for one in each)),
    )


def of_todos(each: Sequence[TodoCounts]) -> TodoCounts:
    """The todos of all."""
    return TodoCounts(sum(one.total for one in each), sum(one.active for one in each))


def of_holders(each: Sequence[Holders]) -> Holders:
    """Who holds most back anywhere."""
    if len(each) == 1:
        return each[0]
    return Holders(
        min(one.observed_at for one in each),
        sum(one.dead_streams for one in each),
        _furthest(one.snapshot for one in each),
        _furthest(one.announcement for one in each),
    )


def of_usage(each: Sequence[Usage]) -> Usage:
    """The connections of all pools."""
    return Usage(
        sum(one.open for one in each),
        sum(one.used for one in each),
        sum(one.awaited for one in each),
        sum(one.time_limits for one in each),
    )


def _projectors(each: Iterable[ProjectorStats]) -> list[ProjectorStats]:
    """A projector serves several shards under one name, and is told once; the latest alive first."""
    found: dict[str, ProjectorStats] = {}
    for one in each:
        found[one.holder] = _both(found[one.holder], one) if one.holder in found else one
    return sorted(found.values(), key=attrgetter("alive", "seen_at"), reverse=True)


_COUNTED = (
    *("leases_held", "claims", "batches", "events_projected", "duplicates", "takeovers", "fenced", "time_limits"),
    *("connections_open", "connections_used", "connections_awaited"),
)


def _both(one: ProjectorStats, other: ProjectorStats) -> ProjectorStats:
    return replace(
        one,
        **{name: getattr(one, name) + getattr(other, name) for name in _COUNTED},
        alive=one.alive and other.alive,
        started_at=min(one.started_at, other.started_at),
        seen_at=min(one.seen_at, other.seen_at),
        last_takeover_at=_latest((one.last_takeover_at, other.last_takeover_at)),
        sessions=max(one.sessions, other.sessions),
        listening=one.listening and other.listening,
        waiting=" · ".join(dict.fromkeys(filter(None, (one.waiting, other.waiting)))) or None,
    )


def _sum(each: Sequence[Stats], figure: Callable[[Stats], int]) -> int:
    return sum(map(figure, each))


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _furthest(holders: Iterable[Holder | None]) -> Holder | None:
    return max((holder for holder in holders if holder is not None), key=attrgetter("behind"), default=None)
