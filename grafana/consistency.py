"""The dashboard *Projection consistency*: is the projection right, how far behind is it, and which mode is faster?"""

from __future__ import annotations

from typing import Any, Final

from grafana.board import board
from grafana.panels import GREEN, NONE_ALLOWED, ORANGE, PLAIN, RED, Panel, bars, overlay, timeseries, unit
from grafana.queries import CHOSEN, WITHIN, growth, metric, over_time, target
from grafana.runs import newest_verdict, result, sound_runs, unsound_runs
from metrics.catalogue import GENERATOR, LOAD, PROJECTION, PROJECTOR, RESULT, VISIBILITY, Measurement
from metrics.target import DASHBOARD

_BY_PROJECTOR: Final = ("projector", "run")
_EACH_SECOND: Final = "A point a second; over more than one second the worst of them."


def consistency() -> dict[str, Any]:
    """The dashboard."""
    return board(
        DASHBOARD,
        "Projection consistency",
        description="Serial and parallel projection of the same events: right, how far behind, how fast in step again.",
        others=["load"],
        rows=[
            ("Verdict of the newest chosen run", 4, _verdict()),
            ("Serial against parallel", 8, _modes()),
            ("Over time", 8, _lags()),
            ("Runs over one another, on elapsed time", 9, _overlays()),
            ("Projectors and leases", 8, _projectors()),
            ("Load", 8, _load()),
            ("Health of the measurement", 8, _health()),
        ],
    )


def _verdict() -> list[tuple[int, Panel]]:
    folded = ((None, ORANGE), (1, GREEN))
    alone = "0: judged over HTTP alone, not yet by folding every event again."
    return [
        (4, newest_verdict()),
        (2, result("Faults", "faults")),
        (3, result("Events folded again", "events_checked", limits=folded, more=alone)),
        (3, result("Convergence time", "convergence_time_s", limits=PLAIN)),
        (4, result("Convergence speed", "convergence_speed_events_per_s", limits=PLAIN)),
        (3, result("Final projection lag", "final_projection_lag")),
        (3, result("Final event id lag", "final_event_id_lag")),
        (2, result("Final backlog", "final_backlog")),
    ]


def _modes() -> list[tuple[int, Panel]]:
    return [
        (9, _by_mode("Convergence speed", "convergence_speed_events_per_s")),
        (9, _by_mode("Convergence time", "convergence_time_s")),
        (6, _sound_runs_by_mode()),
        (
            24,
            sound_runs(
                "convergence_time_s",
                "convergence_speed_events_per_s",
                "max_backlog",
                "actions_per_s",
                "reads_per_s",
                "action_p99_ms",
                "visibility_p50_ms",
                "visibility_p99_ms",
                "events_checked",
            ),
        ),
        (24, unsound_runs()),
    ]


def _by_mode(title: str, field: str) -> Panel:
    found = metric(RESULT, field)
    return bars(
        f"{title}, median of the runs of a mode",
        target(
            f'SELECT median("{field}") FROM "{RESULT.name}" WHERE "converged" = 1 AND {WITHIN} GROUP BY "mode"',
            alias="$tag_mode",
        ),
        unit=unit(found),
        description=f"All converged runs of the scenario in the time range: {found.meaning}. A difference between few "
        "runs is no finding: `task bench:compare` says how much is noise.",
    )


def _sound_runs_by_mode() -> Panel:
    where = f'"converged" = 1 AND {WITHIN}'
    return bars(
        "Converged runs of a mode",
        target(f'SELECT count("converged") FROM "{RESULT.name}" WHERE {where} GROUP BY "mode"', alias="$tag_mode"),
        unit="none",
        description="How many runs the medians beside stand on.",
    )


def _lags() -> list[tuple[int, Panel]]:
    return [
        (12, _worst("Backlog", PROJECTION, "backlog")),
        (12, _lag()),
        (12, _worst("Staleness: age of the oldest unprojected event", PROJECTION, "oldest_unprojected_age_ms")),
        (12, _visibility()),
        (12, _pace()),
        (12, _positions()),
    ]


def _worst(title: str, measurement: Measurement, name: str, **more: Any) -> Panel:
    found = metric(measurement, name)
    description = f"{found.meaning[0].upper()}{found.meaning[1:]}. {_EACH_SECOND}"
    return timeseries(title, [over_time(measurement, "max", name)], unit=unit(found), description=description, **more)


def _lag() -> Panel:
    names = {"projection_lag": "projection lag", "event_id_lag": "event id lag"}
    return timeseries(
        "Projection lag and event id lag",
        [over_time(PROJECTION, "max", name, label=label) for name, label in names.items()],
        unit="short",
        description="Projection lag: todos shown against todos expected; a loss and a duplicate cancel in it, and "
        "updates are invisible. Event id lag: positions between the last event and the last projected; it counts holes "
        "and says nothing about completeness in parallel mode. The backlog is the exact figure.",
    )


def _visibility() -> Panel:
    labels = {"visibility_p50_ms": "median", "visibility_p99_ms": "99 %"}
    return timeseries(
        "Write to visible",
        [over_time(VISIBILITY, "max", name, label=label) for name, label in labels.items()],
        unit="ms",
        description="From the acknowledgement of a write to the first read over HTTP that shows it, on writes of a "
        f"probe in a process of its own. {_EACH_SECOND}",
    )


def _pace() -> Panel:
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
        description="Position of the last event in the store, and the highest one projected. In parallel mode others "
        "below may be missing: the backlog tells.",
    )


def _overlays() -> list[tuple[int, Panel]]:
    return [
        (12, _overlay("Backlog by elapsed time", "backlog")),
        (12, _overlay("Events projected by elapsed time", "projected_per_s")),
    ]


def _overlay(title: str, name: str) -> Panel:
    found = metric(PROJECTION, name)
    query = f'SELECT "elapsed_s", "{name}" FROM "{PROJECTION.name}" WHERE {CHOSEN} GROUP BY "run"'
    description = f"The chosen runs laid over one another from their beginnings: {found.meaning}."
    return overlay(title, target(query, table=True), name, unit=unit(found), description=description, label=found.unit)


def _projectors() -> list[tuple[int, Panel]]:
    return [
        (8, _growth("Events projected, by projector", "events_projected", "eps")),
        (8, _growth("Batches, by projector", "batches", "cps")),
        (8, _growth("Claims, by projector", "claims", "cps")),
        (8, _leases()),
        (8, _worst("Blocked streams", PROJECTION, "blocked_streams", limits=NONE_ALLOWED)),
        (8, _mishaps()),
    ]


def _growth(title: str, name: str, unit: str) -> Panel:
    found = metric(PROJECTOR, name)
    query = growth(PROJECTOR, name, by=_BY_PROJECTOR)
    return timeseries(title, [query], unit=unit, description=f"How fast grows: {found.meaning}.")


def _leases() -> Panel:
    return timeseries(
        "Leases held, by projector, and projectors alive",
        [
            over_time(PROJECTOR, "max", "leases_held", by=_BY_PROJECTOR),
            over_time(PROJECTION, "min", "projectors_alive", label="alive"),
        ],
        unit="none",
        description="Leases that each projector holds, and how many projectors have a fresh heartbeat. The serial mode "
        "has one lease in all.",
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


def _load() -> list[tuple[int, Panel]]:
    rates = {"actions_per_s": "actions", "reads_per_s": "reads"}
    latencies = {"action_p50_ms": "median", "action_p95_ms": "95 %", "action_p99_ms": "99 %"}
    failures = {"errors": "errors", "rejected": "refused"}
    return [
        (
            8,
            timeseries(
                "Actions and reads",
                [over_time(LOAD, "mean", name, label=label) for name, label in rates.items()],
                unit="reqps",
                description="Acknowledged creates, updates and deletes, and answered reads, a second.",
            ),
        ),
        (
            8,
            timeseries(
                "Latency of actions",
                [over_time(LOAD, "max", name, label=label) for name, label in latencies.items()],
                unit="ms",
                description=f"From the (intended) start of a request to its answer. {_EACH_SECOND}",
            ),
        ),
        (
            8,
            timeseries(
                "Errors and refusals",
                [over_time(LOAD, "sum", name, label=label) for name, label in failures.items()],
                unit="short",
                description="Errors: time-outs, lost connections, 5xx. Refusals by the rules (404, 409) are none.",
                limits=((None, GREEN), (1, ORANGE)),
            ),
        ),
    ]


def _health() -> list[tuple[int, Panel]]:
    busy = ((None, GREEN), (70, ORANGE), (90, RED))
    late = ((None, GREEN), (50, ORANGE), (100, RED))
    return [
        (8, _worst("CPU of the load generator", GENERATOR, "cpu_percent", limits=busy)),
        (8, _worst("Delay of the load generator's timers", GENERATOR, "scheduler_delay_ms", limits=late)),
        (4, _worst("Points dropped", GENERATOR, "dropped_points", limits=NONE_ALLOWED)),
        (4, result("Generator saturated", "saturated", more="1: its throughput is a lower bound of the server's.")),
    ]
