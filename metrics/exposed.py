"""Every metric of `GET /metrics` beside the times of requests: its name, kind, labels and meaning, once.

What is told of a projector comes from its row in `projectors`, which it writes with its heartbeat: see ADR 0020.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Exposed:
    """One metric's birth certificate. A counter may begin again at 0 when its process does.

    What has no label `process` is told of a store. Of several each is told apart, with the shard's number as `shard`.
    """

    name: str
    kind: Literal["gauge", "counter"]
    meaning: str
    labels: tuple[str, ...] = ()

    def labels_of(self, stores: int) -> tuple[str, ...]:
        """Its labels where there are so many stores."""
        return (*self.labels, SHARD) if stores > 1 and "process" not in self.labels else self.labels


SHARD: Final = "shard"
_API: Final = ("process",)
_HOLDER: Final = ("kind", "pid", "application")
_EACH: Final = ("projector", "mode", "strategy")

EXPOSED: Final = (
    Exposed("tidemark_store_up", "gauge", "1 when the store answered this scrape; if not, nothing else is told"),
    Exposed("tidemark_store_unsound", "gauge", "what the store rests on and does not hold, as `unsound` of `/stats`"),
    Exposed("tidemark_events", "gauge", "events in the store"),
    Exposed("tidemark_events_projected", "gauge", "events that took effect; a reset takes some back"),
    Exposed("tidemark_backlog_events", "gauge", "sum over streams of head version − projected version; exact"),
    Exposed("tidemark_oldest_unprojected_age_seconds", "gauge", "age of the oldest event that is not projected, or 0"),
    Exposed("tidemark_blocked_streams", "gauge", "streams that wait for an operator, as `blockedStreams` of `/stats`"),
    Exposed("tidemark_projection_blocked", "gauge", "1 while an event blocks the serial projection"),
    Exposed(
        "tidemark_api_connections",
        "gauge",
        "pool of the API process that answered: connections `open` and `used`, requests that `awaited` one",
        (*_API, "state"),
    ),
    Exposed(
        "tidemark_api_append_statements",
        "counter",
        "append statements that it sent: `single`, `batched` (each one event a stream, without keys) or `general`",
        (*_API, "statement"),
    ),
    Exposed(
        "tidemark_api_requests",
        "gauge",
        "requests that are `under_way` there, and the `limit` at which it refuses (10,000 while it has room)",
        (*_API, "state"),
    ),
    Exposed(
        "tidemark_api_requests_shed", "counter", "requests that it refused unread, as too many were under way", _API
    ),
    Exposed("tidemark_api_time_limits", "counter", "statements, and waits for a connection, that a limit ended", _API),
    Exposed("tidemark_watermark_held_positions", "gauge", "how far the lowest writer under way holds it back", _HOLDER),
    Exposed(
        "tidemark_watermark_held_seconds", "gauge", "age of that writer's transaction, if it may be known", _HOLDER
    ),
    Exposed("tidemark_snapshot_held_transactions", "gauge", "transactions since the oldest snapshot began", _HOLDER),
    Exposed(
        "tidemark_snapshot_held_seconds", "gauge", "age of that snapshot's transaction, if it may be known", _HOLDER
    ),
    Exposed("tidemark_projectors_alive", "gauge", "projectors with a fresh heartbeat"),
    Exposed("tidemark_projector_alive", "gauge", "1 while its heartbeat is fresh; 0 up to an hour after", _EACH),
    Exposed("tidemark_projector_leases_held", "gauge", "leases that it holds; 0 when it is dead", _EACH),
    Exposed("tidemark_projector_waiting", "gauge", "1 while it may not work; `waiting` of `/stats` says why", _EACH),
    Exposed("tidemark_projector_listening", "gauge", "1 while it hears notifications; else it polls", _EACH),
    Exposed(
        "tidemark_projector_connections",
        "gauge",
        "its pool: connections `open` and `used`, statements that `awaited` one",
        (*_EACH, "state"),
    ),
    Exposed("tidemark_projector_events_projected", "counter", "events that it projected", _EACH),
    Exposed("tidemark_projector_batches", "counter", "projection transactions", _EACH),
    Exposed("tidemark_projector_claims", "counter", "claims of leases that found some", _EACH),
    Exposed("tidemark_projector_takeovers", "counter", "leases taken over from one that let them run out", _EACH),
    Exposed("tidemark_projector_duplicates", "counter", "events that it met again and did not apply again", _EACH),
    Exposed(
        "tidemark_projector_fenced", "counter", "leases that it found lost when it came to write or to renew", _EACH
    ),
    Exposed("tidemark_projector_time_limits", "counter", "statements that a time limit ended", _EACH),
    Exposed("tidemark_projector_sessions", "counter", "starts, and reconnections after the store was away", _EACH),
)
