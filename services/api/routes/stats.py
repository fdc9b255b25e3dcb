"""`GET /stats`: the stats of store and projection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from litestar import get
from litestar.handlers import HTTPRouteHandler

from eventstore.visibility.holders import Holder, Holders, read_holders
from projection.stats import ProjectorStats, Stats, read_stats
from services.api.http.bodies import BlockedDocument, HolderDocument, LastEvent, ProjectorDocument
from services.api.http.bodies import Stats as StatsDocument
from services.api.http.openapi import refusals
from services.api.reading.single_flight import SingleFlight
from services.api.shards import sums
from services.api.shards.shard import Shard, of_each
from todo.read_models.todos import TodoCounts, count_todos


def stats_route(shards: Sequence[Shard], *, serial: bool) -> HTTPRouteHandler:
    """The route of `/stats`."""

    async def read() -> StatsDocument:
        each = await of_each(shards, _read)
        stats = sums.of_stats([stats for stats, _, _ in each])
        todos = sums.of_todos([todos for _, todos, _ in each])
        holders = sums.of_holders([holders for _, _, holders in each])
        return document(stats, todos, holders, unsound(shards), serial=serial)

    shared = SingleFlight(read)

    @get("/stats", responses=refusals(), tags=["operations"], summary="Statistics of store and projection, no verdict")
    async def stats() -> StatsDocument:
        """Concurrent calls share one query, which begins after the last of them came."""
        return await shared()

    return stats


async def _read(shard: Shard) -> tuple[Stats, TodoCounts, Holders]:
    # In this order: the counts of todos are never older than the checkpoint told beside them.
    stats = await read_stats(shard.database)
    todos = await count_todos(shard.database)
    return stats, todos, await read_holders(shard.database)


def unsound(shards: Sequence[Shard]) -> list[str]:
    """What does not hold, with the shard where there are several."""
    return [
        f"{shard.name}: {finding}" if shard.name else str(finding)
        for shard in shards
        for finding in shard.watch.findings
    ]


def _serial(stats: Stats, *, configured: bool) -> bool:
    """True while a single lease and the global order are at work.

    The projectors decide the mode, and may be started anew in the other one while the API runs. So what they
    registered is told: those alive, else the last that was; before there was any, what the API was configured with.
    """
    modes = [one.mode for one in _at_work(stats)]
    return all(mode == "serial" for mode in modes) if modes else configured


def _at_work(stats: Stats) -> list[ProjectorStats]:
    """The projectors that are alive, else the last that was."""
    return [one for one in stats.projectors if one.alive] or stats.projectors[:1]


def _holder(holder: Holder | None) -> HolderDocument | None:
    return HolderDocument(**asdict(holder)) if holder else None


def document(stats: Stats, todos: TodoCounts, holders: Holders, unsound: list[str], *, serial: bool) -> StatsDocument:
    """The stats under the names of the contract."""
    return StatsDocument(
        total_events_projected=stats.projected,
        total_todos=todos.total,
        active_todos=todos.active,
        last_events=[LastEvent(**asdict(event)) for event in stats.recent],
        last_event_in_store=stats.last_position,
        last_projected_event=stats.projected_position,
        event_id_lag=max(0, stats.last_position - stats.projected_position),
        backlog=stats.backlog,
        oldest_unprojected_age_ms=round(stats.oldest_unprojected_age_ms, 3),
        blocked_streams=stats.blocked_streams,
        event_count=stats.events,
        stream_count=stats.streams,
        drain_count=stats.drains,
        serial_projection=_serial(stats, configured=serial),
        strategies=sorted({one.strategy for one in _at_work(stats) if one.strategy}),
        handlers=sorted({one.handler for one in _at_work(stats) if one.handler}),
        read_models=sorted({one.read_models for one in _at_work(stats) if one.read_models}),
        projectors=[ProjectorDocument(**asdict(one)) for one in stats.projectors],
        observed_at=stats.observed_at,
        last_event_at=stats.last_recorded_at,
        last_projected_at=stats.projected_at,
        unsound=unsound,
        blocked=[BlockedDocument(**asdict(one)) for one in stats.blocked[:10]],
        oldest_snapshot=_holder(holders.snapshot),
        lowest_announcement=_holder(holders.announcement),
        dead_streams=holders.dead_streams,
    )
