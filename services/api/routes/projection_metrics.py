"""Prometheus metrics of store and projection, made at each scrape from the stats that `/stats` tells, too.

Of several shards each is told apart, with its number as a label: a sum would fall while one of them is away, and a
counter that falls is taken for one that began anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from eventstore.append.statements import NAMES, Name
from eventstore.connection.pool import Usage
from eventstore.visibility.holders import Holders
from metrics.exposed import EXPOSED
from projection.stats import ProjectorStats, Stats
from services.api.serving.admission import Admission

Sample = tuple[Sequence[str], float]
Samples = dict[str, list[Sample]]
"""What is told under each name of `metrics.exposed`: values of its labels, and the value."""

_FAMILIES: Final = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}
_COUNTERS: Final = (
    "events_projected",
    "batches",
    "claims",
    "takeovers",
    "duplicates",
    "fenced",
    "time_limits",
    "sessions",
)


def told(stores: Sequence[Samples], of_process: Samples) -> bytes:
    """The text of a scrape: what is told of each store, and of the process that answers."""
    registry = CollectorRegistry()
    registry.register(_Told({**of_process, **_of_all(stores)}, len(stores)))
    return generate_latest(registry)


def _of_all(stores: Sequence[Samples]) -> Samples:
    if len(stores) == 1:
        return stores[0]
    found: Samples = {}
    for number, store in enumerate(stores):
        for name, samples in store.items():
            found.setdefault(name, []).extend(((*labels, str(number)), value) for labels, value in samples)
    return found


def of_this_process(pool: Usage, appends: Mapping[Name, int], admission: Admission) -> Samples:
    """The API process that answers: its pools, its append statements, its requests."""
    me = str(os.getpid())
    states = {"open": pool.open, "used": pool.used, "awaited": pool.awaited}
    return {
        "tidemark_api_connections": [((me, state), number) for state, number in states.items()],
        "tidemark_api_time_limits": [((me,), pool.time_limits)],
        "tidemark_api_requests": [
            ((me, "under_way"), admission.under_way),
            ((me, "limit"), admission.limit),
        ],
        "tidemark_api_requests_shed": [((me,), admission.refused)],
        "tidemark_api_append_statements": [((me, name), appends.get(name, 0)) for name in NAMES],
    }


def of_a_store(stats: Stats | None, holders: Holders | None, unsound: int) -> Samples:
    """What is told of one store; without stats, that it gave none, and how unsound it was found."""
    up: Samples = {"tidemark_store_up": [((), stats is not None)], "tidemark_store_unsound": [((), unsound)]}
    return {**up, **(_of_stats(stats) if stats else {}), **(_of_holders(holders) if holders else {})}


def _of_stats(stats: Stats) -> Samples:
    found: Samples = {
        "tidemark_events": [((), stats.events)],
        "tidemark_events_projected": [((), stats.projected)],
        "tidemark_backlog_events": [((), stats.backlog)],
        "tidemark_oldest_unprojected_age_seconds": [((), stats.oldest_unprojected_age_ms / 1000)],
        "tidemark_blocked_streams": [((), stats.blocked_streams)],
        "tidemark_projection_blocked": [((), any(one.scope == "projection" for one in stats.blocked))],
        "tidemark_projectors_alive": [((), sum(one.alive for one in stats.projectors))],
    }
    for projector in stats.projectors:
        for name, sample in _of(projector):
            found.setdefault(f"tidemark_projector_{name}", []).append(sample)
    return found


def _of_holders(holders: Holders) -> Samples:
    """Who holds the watermark and the oldest snapshot back, and since when; nothing where nobody does."""
    found: Samples = {}
    kinds = (("watermark", "positions", holders.announcement), ("snapshot", "transactions", holders.snapshot))
    for what, unit, holder in kinds:
        if holder is None:
            continue
        labels = (holder.kind, str(holder.pid or ""), holder.name)
        found[f"tidemark_{what}_held_{unit}"] = [(labels, holder.behind)]
        if holder.since is not None:
            age = (holders.observed_at - holder.since).total_seconds()
            found[f"tidemark_{what}_held_seconds"] = [(labels, age)]
    return found


def _of(projector: ProjectorStats) -> Iterator[tuple[str, Sample]]:
    labels = (projector.holder, projector.mode, projector.strategy or "")
    yield "alive", (labels, projector.alive)
    yield "leases_held", (labels, projector.leases_held)
    yield "waiting", (labels, projector.waiting is not None)
    yield "listening", (labels, projector.listening)
    for state in ("open", "used", "awaited"):
        yield "connections", ((*labels, state), getattr(projector, f"connections_{state}"))
    for name in _COUNTERS:
        yield name, (labels, getattr(projector, name))


class _Told(Collector):
    def __init__(self, found: Samples, stores: int) -> None:
        self._found = found
        self._stores = stores

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        for one in EXPOSED:
            family = _FAMILIES[one.kind](one.name, one.meaning, labels=one.labels_of(self._stores))
            for labels, value in self._found.get(one.name, ()):
                family.add_metric(labels, value)
            yield family
