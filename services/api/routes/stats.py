"""`GET /stats`: the facts of store and projection."""

from __future__ import annotations

from dataclasses import asdict

from litestar import get
from litestar.handlers import HTTPRouteHandler

from eventstore.postgres import Database
from eventstore.soundness.watch import Watch
from eventstore.visibility.holders import Holder, Holders, read_holders
from projection.stats import Facts, ProjectorFacts, read_facts
from services.api.http.bodies import BlockedDocument, HolderDocument, LastEvent, ProjectorDocument, Stats
from services.api.http.openapi import refusals
from services.api.reading.single_flight import SingleFlight
from todo.read_models.todos import TodoCounts, count_todos


def stats_route(database: Database, watch: Watch, *, serial: bool) -> HTTPRouteHandler:
    """The route of `/stats`."""

    async def read() -> Stats:
        # In this order: the counts of todos are never older than the checkpoint told beside them.
        facts = await read_facts(database)
        todos = await count_todos(database)
        return document(facts, todos, await read_holders(database), list(map(str, watch.findings)), serial=serial)

    shared = SingleFlight(read)

    @get("/stats", responses=refusals(503), tags=["operations"], summary="Facts of store and projection, no verdict")
    async def stats() -> Stats:
        """Concurrent calls share one query, which begins after the last of them came."""
        return await shared()

    return stats


def _serial(facts: Facts, *, configured: bool) -> bool:
    """True while a single lease and the global order are at work.

    The projectors decide the mode, and may be started anew in the other one while the API runs. So what they
    registered is told: those alive, else the last that was; before there was any, what the API was configured with.
    """
    modes = [one.mode for one in _at_work(facts)]
    return all(mode == "serial" for mode in modes) if modes else configured


def _at_work(facts: Facts) -> list[ProjectorFacts]:
    """The projectors that are alive, else the last that was."""
    return [one for one in facts.projectors if one.alive] or facts.projectors[:1]


def _holder(holder: Holder | None) -> HolderDocument | None:
    return HolderDocument(**asdict(holder)) if holder else None


def document(facts: Facts, todos: TodoCounts, holders: Holders, unsound: list[str], *, serial: bool) -> Stats:
    """The facts under the names of the contract."""
    return Stats(
        total_events_projected=facts.projected,
        total_todos=todos.total,
        active_todos=todos.active,
        last_events=[LastEvent(**asdict(event)) for event in facts.recent],
        last_event_in_store=facts.last_position,
        last_projected_event=facts.projected_position,
        event_id_lag=max(0, facts.last_position - facts.projected_position),
        backlog=facts.backlog,
        oldest_unprojected_age_ms=round(facts.oldest_unprojected_age_ms, 3),
        blocked_streams=facts.blocked_streams,
        event_count=facts.events,
        stream_count=facts.streams,
        drain_count=facts.drains,
        serial_projection=_serial(facts, configured=serial),
        strategies=sorted({one.strategy for one in _at_work(facts) if one.strategy}),
        projectors=[ProjectorDocument(**asdict(one)) for one in facts.projectors],
        observed_at=facts.observed_at,
        last_event_at=facts.last_recorded_at,
        last_projected_at=facts.projected_at,
        unsound=unsound,
        blocked=[BlockedDocument(**asdict(one)) for one in facts.blocked[:10]],
        oldest_snapshot=_holder(holders.snapshot),
        lowest_announcement=_holder(holders.announcement),
        dead_streams=holders.dead_streams,
    )
