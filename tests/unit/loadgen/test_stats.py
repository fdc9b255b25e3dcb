"""GET /stats is read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from services.loadgen.judge.ledger import Counts
from services.loadgen.judge.stats import BadStats, Projector, Stats, parse_stats

DONE = {"eventsProjected": 10, "batches": 5, "claims": 4, "takeovers": 1, "duplicates": 0}
HOW = {"handler": "each", "readModels": "todos,activity"}
DOCUMENT: dict[str, Any] = {
    "totalEventsProjected": 20,
    "totalTodos": 10,
    "activeTodos": 6,
    "eventIdLag": 2,
    "backlog": 1,
    "oldestUnprojectedAgeMs": 3.5,
    "blockedStreams": 1,
    "eventCount": 21,
    "lastEventInStore": 25,
    "lastProjectedEvent": 23,
    "serialProjection": False,
    "strategies": ["stream-leases", "stream-locks"],
    "projectors": [
        {"holder": "a", "strategy": "stream-leases", **HOW, "alive": True, "leasesHeld": 3, **DONE},
        {"holder": "b", "strategy": "stream-locks", "alive": True, "leasesHeld": 4, **DONE},
        {"holder": "dead", "strategy": None, "alive": False, "leasesHeld": 9, **DONE},
    ],
    "lastEventAt": "2026-11-24T05:00:01.250000+00:00",
    "lastProjectedAt": "2026-11-24T05:00:01.500000Z",
    "blocked": [{"scope": "stream", "stream": "t", "version": 3, "error": "boom"}],
}


def test_the_statistics_are_read() -> None:
    stats = parse_stats(DOCUMENT)
    assert stats.counts == Counts(todos=10, active=6, events=20)
    assert (stats.backlog, stats.event_id_lag, stats.events_in_store) == (1, 2, 21)
    assert (stats.projectors_alive, stats.leases_held) == (2, 7)
    assert (stats.head_position, stats.projected_position, stats.serial) == (25, 23, False)
    assert stats.projectors is not None
    assert stats.projectors[0] == Projector("a", "stream-leases", "each", "todos,activity", 3, 10, 5, 4, 1, 0)
    assert stats.strategies == ("stream-leases", "stream-locks")
    assert stats.blocked_because == "stream t at version 3: boom"
    assert stats.last_projected_at is not None
    assert stats.last_event_at is not None
    assert stats.last_projected_at - stats.last_event_at == pytest.approx(0.25)


def test_an_empty_store_has_no_times() -> None:
    stats = parse_stats({**DOCUMENT, "lastEventAt": None, "lastProjectedAt": None, "blocked": [], "projectors": []})
    assert (stats.last_event_at, stats.last_projected_at, stats.blocked_because) == (None, None, "")


def test_a_blocked_projection_is_told_apart_from_a_blocked_stream() -> None:
    blocked = [{"scope": "projection", "position": 7, "stream": "t", "version": 3, "error": "boom"}]
    assert parse_stats({**DOCUMENT, "blocked": blocked}).blocked_because == "the whole projection at position 7: boom"


@pytest.mark.parametrize(
    ("serial", "scopes", "stuck"),
    [
        (False, [], False),
        (False, ["stream"], True),
        (True, [], False),
        (True, ["stream"], False),
        (True, ["projection"], True),
        (True, ["projection", "stream"], True),
    ],
)
def test_what_an_operator_must_mend_depends_on_the_mode(serial: bool, scopes: list[str], stuck: bool) -> None:
    blocked = [{"scope": scope, "stream": "t", "version": 3, "error": "boom"} for scope in scopes]
    assert parse_stats({**DOCUMENT, "serialProjection": serial, "blocked": blocked}).stuck is stuck


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("backlog", None),
        ("backlog", "0"),
        ("activeTodos", True),
        ("projectors", {}),
        ("projectors", [1]),
        ("totalTodos", 1.5),
        ("eventCount", float("nan")),
        ("serialProjection", "no"),
        ("strategies", 5),
        ("strategies", "stream-leases"),
        ("strategies", [None]),
        ("strategies", [""]),
        ("lastEventInStore", "none"),
        ("eventIdLag", "0"),
        ("oldestUnprojectedAgeMs", True),
        ("blockedStreams", []),
        ("blocked", "none"),
        ("lastEventAt", "yesterday"),
        ("lastEventAt", 5),
    ],
)
def test_a_wrong_field_is_named(name: str, value: object) -> None:
    with pytest.raises(BadStats, match=name):
        parse_stats({**DOCUMENT, name: value})


@pytest.mark.parametrize("name", ["strategy", "leasesHeld", *DONE])
def test_a_wrong_field_of_a_living_projector_is_named(name: str) -> None:
    right = {"holder": "a", "strategy": "stream-leases", **HOW, "alive": True, "leasesHeld": 3, **DONE}
    assert parse_stats({**DOCUMENT, "projectors": [right]}).projectors_alive == 1
    projector = {**right, name: ["many"]}
    with pytest.raises(BadStats, match=name):
        parse_stats({**DOCUMENT, "projectors": [projector]})


def test_something_else_is_refused() -> None:
    with pytest.raises(BadStats, match="list"):
        parse_stats([])


REQUIRED = ("eventCount", "totalEventsProjected", "totalTodos", "activeTodos", "backlog")


@pytest.mark.parametrize("null", [True, False])
def test_all_but_five_fields_may_be_missing_or_null_and_are_not_told(null: bool) -> None:
    told = {name: value if name in REQUIRED else None for name, value in DOCUMENT.items() if null or name in REQUIRED}
    assert parse_stats(told) == Stats(Counts(10, 6, 20), events_in_store=21, backlog=1)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_field_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(BadStats, match=f"{name} is missing"):
        parse_stats({one: value for one, value in DOCUMENT.items() if one != name})


def test_a_projector_may_tell_its_leases_alone() -> None:
    told = [{"holder": "a", "alive": True, "leasesHeld": 3}, {"holder": "b", "alive": False, "leasesHeld": 1}]
    stats = parse_stats({**DOCUMENT, "projectors": told})
    assert (stats.projectors_alive, stats.leases_held) == (1, 3)
    assert stats.projectors == (Projector("a", "", "", "", 3, None, None, None, None, None),)
    untold = parse_stats({**DOCUMENT, "projectors": [{"holder": "a", "alive": True}]})
    assert (untold.projectors_alive, untold.leases_held) == (1, None)


def test_what_is_wrong_is_told_at_bounded_length() -> None:
    with pytest.raises(BadStats) as refused:
        parse_stats({**DOCUMENT, "backlog": "x" * 1_000_000})
    assert len(str(refused.value)) < 300
