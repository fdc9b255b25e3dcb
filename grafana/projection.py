"""Rows about the projection: how far behind it is, runs laid over one another, and what each projector does."""

from __future__ import annotations

from typing import Any, Final

from grafana.panels import NONE_ALLOWED, Panel, overlay, timeseries, unit
from grafana.queries import CHOSEN, growth, metric, over_time, target
from metrics.catalogue import PROJECTION, PROJECTOR, VISIBILITY, Measurement

EACH_SECOND: Final = "A point a second; over more than one second the worst of them."
_BY_PROJECTOR: Final = ("projector", "run")
_BY_STRATEGY: Final = ("strategy", *_BY_PROJECTOR)


def lags() -> list[tuple[int, Panel]]:
    """How far the projection is behind, by every measure of it."""
    return [
        (12, worst("Backlog", PROJECTION, "backlog")),
        (12, _lag()),
        (12, worst("Staleness: age of the oldest unprojected event", PROJECTION, "oldest_unprojected_age_ms")),
        (12, _visibility()),
        (12, _rates()),
        (12, _positions()),
    ]


def worst(title: str, measurement: Measurement, name: str, **more: Any) -> Panel:
    """The largest value of each second, by run."""
    found = metric(measurement, name)
    description = f"{found.meaning[0].upper()}{found.meaning[1:]}. {EACH_SECOND}"
    return timeseries(title, [over_time(measurement, "max", name)], unit=unit(found), description=description, **more)


def _lag() -> Panel:
    names = {"projection_lag": "projection lag", "event_id_lag": "event id lag"}
    return timeseries(
        "Projection lag and event id lag",
        [over_time(PROJECTION, "max", name, label=label) for name, label in names.items()],
        unit="short",
        description="Projection lag: todos shown against todos expected; a loss and a duplicate cancel in it, and "
        "updates are invisible. Event id lag: positions between the last event and the last projected; it counts holes "
        "and says nothing about completeness but by global-order. The backlog is the exact figure.",
    )


def _visibility() -> Panel:
    labels = {"visibility_p50_ms": "median", "visibility_p99_ms": "99 %", "unseen_age_ms": "oldest not yet seen"}
    return timeseries(
        "Write to visible",
        [over_time(VISIBILITY, "max", name, label=label) for name, label in labels.items()],
        unit="ms",
        description="From the acknowledgement of a write to the first read over HTTP that shows it, on writes of a "
        f"probe in a process of its own. {EACH_SECOND}",
    )


def _rates() -> Panel:
    labels = {"appended_per_s": "appended", "projected_per_s": "projected"}
    return timeseries(
        "Appended against projected",
        [over_time(PROJECTION, "mean", name, label=label) for name, label in labels.items()],
        unit=unit(metric(PROJECTION, "appended_per_s")),
        description="Events that come into the store and events that take effect in the projection, a second. While "
        "the lower line is the projected one, the backlog grows.",
    )


def _positions() -> Panel:
    labels = {"head_position": "head", "projected_position": "projected"}
    return timeseries(
        "Positions",
        [over_time(PROJECTION, "max", name, label=label) for name, label in labels.items()],
        unit="none",
        description="Position of the last event in the store, and the highest one projected. But by global-order, "
        "others below may be missing: the backlog tells.",
    )


def overlays() -> list[tuple[int, Panel]]:
    """The same runs, from their beginnings."""
    return [
        (12, _overlay("Backlog by elapsed time", "backlog")),
        (12, _overlay("Events projected by elapsed time", "projected_per_s")),
    ]


def _overlay(title: str, name: str) -> Panel:
    found = metric(PROJECTION, name)
    query = f'SELECT "elapsed_s", "{name}" FROM "{PROJECTION.name}" WHERE {CHOSEN} GROUP BY "run"'
    description = f"The chosen runs laid over one another from their beginnings: {found.meaning}."
    return overlay(title, target(query, table=True), name, unit=unit(found), description=description, label=found.unit)


def projectors() -> list[tuple[int, Panel]]:
    """Who holds what and does how much."""
    return [
        (8, _growth("Events projected, by projector", "events_projected", "eps")),
        (8, _growth("Batches, by projector", "batches", "cps")),
        (8, _growth("Claims, by projector", "claims", "cps")),
        (8, _leases()),
        (8, worst("Blocked streams", PROJECTION, "blocked_streams", limits=NONE_ALLOWED)),
        (8, _mishaps()),
    ]


def _growth(title: str, name: str, unit: str) -> Panel:
    found = metric(PROJECTOR, name)
    query = growth(PROJECTOR, name, by=_BY_PROJECTOR)
    return timeseries(title, [query], unit=unit, description=f"How fast grows: {found.meaning}.")


def _leases() -> Panel:
    return timeseries(
        "Leases held, by strategy and projector, and projectors alive",
        [
            over_time(PROJECTOR, "max", "leases_held", by=_BY_STRATEGY),
            over_time(PROJECTION, "min", "projectors_alive", label="alive"),
        ],
        unit="none",
        description="Leases that each projector holds, and how many projectors have a fresh heartbeat. stream-leases "
        "has one for each stream in hand, global-order one in all; stream-locks holds one only where an event failed.",
    )


def _mishaps() -> Panel:
    labels = {"takeovers": "takeovers", "duplicates": "duplicates"}
    return timeseries(
        "Takeovers and duplicates, by projector",
        [over_time(PROJECTOR, "max", name, by=_BY_PROJECTOR, label=label) for name, label in labels.items()],
        unit="none",
        description="Leases taken over from a projector that let them run out, and events met again and not applied "
        "again, since the projector's start.",
    )
