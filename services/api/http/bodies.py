"""The JSON documents that the API answers with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType


class TextBody(Struct, frozen=True):
    """The body of a create or an update."""

    text: str


class Written(Struct, frozen=True):
    """A committed write: the stream's new version, and the position of its event."""

    stream: str
    version: int
    position: int


class TodoDocument(Struct, frozen=True, rename="camel"):
    """A todo as the projection has it; `version` is that of the last event applied.

    `applied`: how many events took effect in it, left out by a target that does not count them. One more than `version`
    is a doubled effect, one less a skipped event.
    """

    id: str
    text: str
    created_at: datetime
    updated_at: datetime
    version: int
    applied: int | UnsetType = UNSET


class TodoPage(Struct, frozen=True):
    """Active todos in the order of their ids; `next` is the `after` of the next page, null on the last."""

    todos: list[TodoDocument]
    next: str | None


class EventDocument(Struct, frozen=True, rename="camel"):
    """One event of the log."""

    position: int
    stream: str
    version: int
    type: str
    data: Mapping[str, Any]
    recorded_at: datetime


class EventPage(Struct, frozen=True):
    """Events in the global order; `next` is the `after` of the next page, null where nothing more was there."""

    events: list[EventDocument]
    next: int | None


class DrainAnswer(Struct, frozen=True):
    """`coalesced` is true when the call joined a wake-up that was on its way already."""

    accepted: bool
    coalesced: bool


class HealthAnswer(Struct, frozen=True):
    """The process is alive, or ready."""

    status: str


class Problem(Struct, frozen=True, rename="camel", omit_defaults=True):
    """RFC 9457. `request_id` is that of the answer's X-Request-Id; the versions are those of a version conflict."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None
    stream: str | UnsetType = UNSET
    expected_version: int | UnsetType = UNSET
    actual_version: int | UnsetType | None = UNSET


class LastEvent(Struct, frozen=True, rename="camel"):
    """One of the events projected last."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: datetime
    projected_at: datetime
    projector: str
    epoch: int


class BlockedDocument(Struct, frozen=True, rename="camel"):
    """What waits for an operator: a stream, or in serial mode the whole projection (`scope`)."""

    scope: str
    stream: str | None
    version: int | None
    position: int | None
    error: str | None
    attempts: int
    blocked_at: datetime


class ProjectorDocument(Struct, frozen=True, rename="camel"):
    """One projector, alive or not, what it has done since its start, and what it waits for while it can not work."""

    holder: str
    mode: str
    strategy: str | None
    handler: str | None
    read_models: str | None
    alive: bool
    started_at: datetime
    seen_at: datetime
    leases_held: int
    events_projected: int
    duplicates: int
    batches: int
    claims: int
    takeovers: int
    last_takeover_at: datetime | None
    sessions: int
    fenced: int
    time_limits: int
    listening: bool
    connections_open: int
    connections_used: int
    connections_awaited: int
    waiting: str | None


class HolderDocument(Struct, frozen=True, rename="camel"):
    """A session, prepared transaction or replication slot that holds others back, by so many transactions or positions.

    `since` its transaction began, and `state`: null where this role may not know.
    """

    kind: str
    pid: int | None
    name: str
    state: str | None
    since: datetime | None
    behind: int


class Stats(Struct, frozen=True, rename="camel"):
    """Figures, no verdict. Times are the database's clock; counts are exact.

    `strategies`, `handlers`, `read_models`: how the living projectors work, or else the last that lived.
    `oldest_snapshot` holds vacuum back, `lowest_announcement` the serial reader; `dead_streams` is an estimate.
    `unsound`: what the store rests on and does not hold, as this process of the API found; writes are refused then.
    """

    total_events_projected: int
    total_todos: int
    active_todos: int
    last_events: list[LastEvent]
    last_event_in_store: int
    last_projected_event: int
    event_id_lag: int
    backlog: int
    oldest_unprojected_age_ms: float
    blocked_streams: int
    event_count: int
    stream_count: int
    drain_count: int
    serial_projection: bool
    strategies: list[str]
    handlers: list[str]
    read_models: list[str]
    projectors: list[ProjectorDocument]
    observed_at: datetime
    last_event_at: datetime | None
    last_projected_at: datetime | None
    blocked: list[BlockedDocument]
    oldest_snapshot: HolderDocument | None
    lowest_announcement: HolderDocument | None
    dead_streams: int
    unsound: list[str]
