"""Strict parser of GET /stats: five fields are required, each other one may be missing or null: *not told*.

A field that is there and of the wrong type is named, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, TypeVar

from services.loadgen.contract import shown
from services.loadgen.judge.ledger import Counts

T = TypeVar("T")


@dataclass(frozen=True)
class Projector:
    """One living projector: leases held now, counts since its start. What it does not tell is empty or None."""

    projector: str
    strategy: str
    handler: str
    read_models: str
    leases_held: int | None
    events_projected: int | None
    batches: int | None
    claims: int | None
    takeovers: int | None
    duplicates: int | None


class BadStats(ValueError):
    """An answer of GET /stats that is not one; the message names the field."""


@dataclass(frozen=True)
class Stats:
    """One answer of GET /stats; None is *not told*. The two times are seconds since the epoch on the clock of the
    target's store, None also where there is no event.

    `strategies`: the ordering strategies of the living projectors. `stuck`: an operator must act before all can be
    projected.
    """

    counts: Counts
    events_in_store: int
    backlog: int
    event_id_lag: int | None = None
    oldest_unprojected_age_ms: float | None = None
    blocked_streams: int | None = None
    blocked_because: str = ""
    stuck: bool = False
    last_event_at: float | None = None
    last_projected_at: float | None = None
    head_position: int | None = None
    projected_position: int | None = None
    serial: bool | None = None
    strategies: tuple[str, ...] | None = None
    projectors: tuple[Projector, ...] | None = None

    @property
    def projectors_alive(self) -> int | None:
        """How many projectors have a fresh heartbeat."""
        return None if self.projectors is None else len(self.projectors)

    @property
    def leases_held(self) -> int | None:
        """Leases held by all of them; not told where one of them does not tell its own."""
        if self.projectors is None:
            return None
        held = [projector.leases_held for projector in self.projectors]
        return None if None in held else sum(count for count in held if count is not None)


def parse_stats(document: Any) -> Stats:
    """Stats of a decoded answer. Raises BadStats naming the field."""
    if not isinstance(document, Mapping):
        raise BadStats(f"/stats is not an object but {type(document).__name__}")
    blocked = _told(_list, document, "blocked") or []
    serial = _told(_flag, document, "serialProjection")
    projectors, strategies = _told(_list, document, "projectors"), _told(_words, document, "strategies")
    return Stats(
        counts=Counts(
            _whole(document, "totalTodos"), _whole(document, "activeTodos"), _whole(document, "totalEventsProjected")
        ),
        events_in_store=_whole(document, "eventCount"),
        backlog=_whole(document, "backlog"),
        event_id_lag=_told(_whole, document, "eventIdLag"),
        oldest_unprojected_age_ms=_told(_number, document, "oldestUnprojectedAgeMs"),
        blocked_streams=_told(_whole, document, "blockedStreams"),
        blocked_because=_reason(blocked),
        stuck=_stuck(blocked, serial=bool(serial)),
        last_event_at=_moment(document, "lastEventAt"),
        last_projected_at=_moment(document, "lastProjectedAt"),
        head_position=_told(_whole, document, "lastEventInStore"),
        projected_position=_told(_whole, document, "lastProjectedEvent"),
        serial=serial,
        strategies=None if strategies is None else tuple(strategies),
        projectors=None
        if projectors is None
        else tuple(_projector(one) for one in projectors if _told(_flag, one, "alive") is not False),
    )


def _told(read: Callable[[Mapping[str, Any], str], T], document: Mapping[str, Any], name: str) -> T | None:
    """The field as `read` reads it, None where it is missing or null, which is *not told*. Raises BadStats."""
    return None if document.get(name) is None else read(document, name)


def _number(document: Mapping[str, Any], name: str) -> float:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise _bad(document, name, "a number")
    return float(value)


def _whole(document: Mapping[str, Any], name: str) -> int:
    value = _number(document, name)
    if not value.is_integer():
        raise _bad(document, name, "a whole number")
    return int(value)


def _flag(document: Mapping[str, Any], name: str) -> bool:
    value = document.get(name)
    if not isinstance(value, bool):
        raise _bad(document, name, "true or false")
    return value


def _projector(document: Mapping[str, Any]) -> Projector:
    return Projector(
        projector=str(document.get("holder") or ""),
        strategy=_told(_word, document, "strategy") or "",
        handler=str(document.get("handler") or ""),
        read_models=str(document.get("readModels") or ""),
        leases_held=_told(_whole, document, "leasesHeld"),
        events_projected=_told(_whole, document, "eventsProjected"),
        batches=_told(_whole, document, "batches"),
        claims=_told(_whole, document, "claims"),
        takeovers=_told(_whole, document, "takeovers"),
        duplicates=_told(_whole, document, "duplicates"),
    )


def _word(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise _bad(document, name, "a word")
    return value


def _words(document: Mapping[str, Any], name: str) -> list[str]:
    value = document.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _bad(document, name, "a list of words")
    return value


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise _bad(document, name, "a list of objects")
    return value


def _moment(document: Mapping[str, Any], name: str) -> float | None:
    value = document.get(name)
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        raise _bad(document, name, "a time") from None


def _stuck(blocked: list[Any], *, serial: bool) -> bool:
    """In serial mode only the projection is: it goes over a stream that was blocked before the mode was changed."""
    scopes = [one.get("scope") for one in blocked]
    return "projection" in scopes if serial else bool(scopes)


def _reason(blocked: list[Any]) -> str:
    if not blocked:
        return ""
    first = blocked[0]
    if first.get("scope") == "projection":
        return f"the whole projection at position {first.get('position')}: {first.get('error')}"
    return f"stream {first.get('stream')} at version {first.get('version')}: {first.get('error')}"


def _bad(document: Mapping[str, Any], name: str, expected: str) -> BadStats:
    found = f"is {shown(document[name])}, not {expected}" if name in document else "is missing"
    return BadStats(f"/stats: {name} {found}")
