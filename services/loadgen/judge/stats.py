"""Strict parser of GET /stats: a field that is missing or of the wrong type is named, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.loadgen.judge.ledger import Counts


@dataclass(frozen=True)
class Projector:
    """One living projector: leases held now, counts since its start. What it does not tell of itself is empty."""

    projector: str
    strategy: str
    handler: str
    read_models: str
    leases_held: int
    events_projected: int
    batches: int
    claims: int
    takeovers: int
    duplicates: int


class BadStats(ValueError):
    """An answer of GET /stats that is not one; the message names the field."""


@dataclass(frozen=True)
class Stats:
    """One answer of GET /stats. The two times are seconds since the epoch on the database's clock, None if none.

    `strategies`: the ordering strategies of the living projectors. `stuck`: an operator must act before all can be
    projected.
    """

    counts: Counts
    events_in_store: int
    backlog: int
    event_id_lag: int
    oldest_unprojected_age_ms: float
    blocked_streams: int
    blocked_because: str
    stuck: bool
    last_event_at: float | None
    last_projected_at: float | None
    head_position: int
    projected_position: int
    serial: bool
    strategies: tuple[str, ...]
    projectors: tuple[Projector, ...]

    @property
    def projectors_alive(self) -> int:
        """How many projectors have a fresh heartbeat."""
        return len(self.projectors)

    @property
    def leases_held(self) -> int:
        """Leases held by all of them."""
        return sum(projector.leases_held for projector in self.projectors)


def parse_stats(document: Any) -> Stats:
    """Stats of a decoded answer. Raises BadStats naming the field."""
    if not isinstance(document, Mapping):
        raise BadStats(f"/stats is not an object but {type(document).__name__}")
    return Stats(
        counts=Counts(
            _whole(document, "totalTodos"), _whole(document, "activeTodos"), _whole(document, "totalEventsProjected")
        ),
        events_in_store=_whole(document, "eventCount"),
        backlog=_whole(document, "backlog"),
        event_id_lag=_whole(document, "eventIdLag"),
        oldest_unprojected_age_ms=_number(document, "oldestUnprojectedAgeMs"),
        blocked_streams=_whole(document, "blockedStreams"),
        blocked_because=_reason(_list(document, "blocked")),
        stuck=_stuck(document),
        last_event_at=_moment(document, "lastEventAt"),
        last_projected_at=_moment(document, "lastProjectedAt"),
        head_position=_whole(document, "lastEventInStore"),
        projected_position=_whole(document, "lastProjectedEvent"),
        serial=_flag(document, "serialProjection"),
        strategies=tuple(_words(document, "strategies")),
        projectors=tuple(_projector(p) for p in _list(document, "projectors") if p.get("alive")),
    )


def _number(document: Mapping[str, Any], name: str) -> float:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadStats(f"/stats: {name} is {value!r}, not a number")
    return float(value)


def _whole(document: Mapping[str, Any], name: str) -> int:
    return int(_number(document, name))


def _flag(document: Mapping[str, Any], name: str) -> bool:
    value = document.get(name)
    if not isinstance(value, bool):
        raise BadStats(f"/stats: {name} is {value!r}, not true or false")
    return value


def _projector(document: Mapping[str, Any]) -> Projector:
    return Projector(
        projector=str(document.get("holder")),
        strategy=_word(document, "strategy"),
        handler=str(document.get("handler") or ""),
        read_models=str(document.get("readModels") or ""),
        leases_held=_whole(document, "leasesHeld"),
        events_projected=_whole(document, "eventsProjected"),
        batches=_whole(document, "batches"),
        claims=_whole(document, "claims"),
        takeovers=_whole(document, "takeovers"),
        duplicates=_whole(document, "duplicates"),
    )


def _word(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise BadStats(f"/stats: {name} is {value!r}, not a word")
    return value


def _words(document: Mapping[str, Any], name: str) -> list[str]:
    value = document.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise BadStats(f"/stats: {name} is {value!r}, not a list of words")
    return value


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise BadStats(f"/stats: {name} is {value!r}, not a list of objects")
    return value


def _moment(document: Mapping[str, Any], name: str) -> float | None:
    value = document.get(name)
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        raise BadStats(f"/stats: {name} is {value!r}, not a time") from None


def _stuck(document: Mapping[str, Any]) -> bool:
    """In serial mode only the projection is: it goes over a stream that was blocked before the mode was changed."""
    scopes = [one.get("scope") for one in _list(document, "blocked")]
    return "projection" in scopes if _flag(document, "serialProjection") else bool(scopes)


def _reason(blocked: list[Any]) -> str:
    if not blocked:
        return ""
    first = blocked[0]
    if first.get("scope") == "projection":
        return f"the whole projection at position {first.get('position')}: {first.get('error')}"
    return f"stream {first.get('stream')} at version {first.get('version')}: {first.get('error')}"
