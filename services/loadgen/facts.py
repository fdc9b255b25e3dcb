"""The answer of GET /stats, read strictly: a fact that is missing or of the wrong type is named, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.loadgen.ledger import Counts


class BadFacts(ValueError):
    """An answer of GET /stats that is not one; the message names the field."""


@dataclass(frozen=True)
class Facts:
    """One answer of GET /stats. The two times are seconds since the epoch on the database's clock, None if none."""

    counts: Counts
    events_in_store: int
    backlog: int
    event_id_lag: int
    oldest_unprojected_age_ms: float
    blocked_streams: int
    blocked_because: str
    last_event_at: float | None
    last_projected_at: float | None
    projectors_alive: int
    leases_held: int


def read_facts(document: Any) -> Facts:
    """Facts of a decoded answer. Raises BadFacts naming the field."""
    if not isinstance(document, Mapping):
        raise BadFacts(f"/stats is not an object but {type(document).__name__}")
    projectors = _list(document, "projectors")
    alive = [p for p in projectors if p.get("alive")]
    return Facts(
        counts=Counts(
            _whole(document, "totalTodos"), _whole(document, "activeTodos"), _whole(document, "totalEventsProjected")
        ),
        events_in_store=_whole(document, "eventCount"),
        backlog=_whole(document, "backlog"),
        event_id_lag=_whole(document, "eventIdLag"),
        oldest_unprojected_age_ms=_number(document, "oldestUnprojectedAgeMs"),
        blocked_streams=_whole(document, "blockedStreams"),
        blocked_because=_reason(_list(document, "blocked")),
        last_event_at=_moment(document, "lastEventAt"),
        last_projected_at=_moment(document, "lastProjectedAt"),
        projectors_alive=len(alive),
        leases_held=sum(int(p.get("leasesHeld") or 0) for p in alive),
    )


def _number(document: Mapping[str, Any], name: str) -> float:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadFacts(f"/stats: {name} is {value!r}, not a number")
    return float(value)


def _whole(document: Mapping[str, Any], name: str) -> int:
    return int(_number(document, name))


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise BadFacts(f"/stats: {name} is {value!r}, not a list of objects")
    return value


def _moment(document: Mapping[str, Any], name: str) -> float | None:
    value = document.get(name)
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        raise BadFacts(f"/stats: {name} is {value!r}, not a time") from None


def _reason(blocked: list[Any]) -> str:
    if not blocked:
        return ""
    first = blocked[0]
    if first.get("scope") == "projection":
        return f"the whole projection at position {first.get('position')}: {first.get('error')}"
    return f"stream {first.get('stream')} at version {first.get('version')}: {first.get('error')}"
