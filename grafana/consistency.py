"""The dashboard *Projection consistency*: is the projection right, how far behind, of which target and strategy?"""

from __future__ import annotations

from typing import Any, Final

from grafana.board import board
from grafana.panels import GREEN, NONE_ALLOWED, ORANGE, PLAIN, RED, Panel, bars, timeseries, unit
from grafana.projection import EACH_SECOND, lags, overlays, projectors, worst
from grafana.queries import WITHIN, metric, over_time, target
from grafana.runs import newest_conditions, newest_verdict, result, sound_runs, unsound_runs
from grafana.staleness import staleness
from metrics.catalogue import GENERATOR, LOAD, RESULT
from metrics.target import DASHBOARD

EACH: Final = 'GROUP BY "target", "strategy"'
NAMED: Final = "$tag_target $tag_strategy"


def consistency() -> dict[str, Any]:
    """The dashboard."""
    return board(
        DASHBOARD,
        "Projection consistency",
        description="Targets and ordering strategies that project the same load: right, how far behind, how fast in "
        "step again.",
        others=["load"],
        rows=[
            ("Verdict of the newest chosen run", 4, _verdict()),
            ("Targets and strategies against one another", 8, _strategies()),
            ("Over time", 8, lags()),
            ("Staleness of reads, and the stages of an event", 8, staleness()),
            ("Runs over one another, on elapsed time", 9, overlays()),
            ("Projectors and leases", 8, projectors()),
            ("Load", 8, _load()),
            ("Health of the measurement", 8, _health()),
        ],
    )


def _verdict() -> list[tuple[int, Panel]]:
    folded = ((None, ORANGE), (1, GREEN))
    alone = "0: judged over HTTP alone, not yet by folding every event again."
    return [
        (3, newest_verdict()),
        *newest_conditions(),
        (2, result("Faults", "faults")),
        (2, result("Events folded again", "events_checked", limits=folded, more=alone)),
        (3, result("Convergence time", "convergence_time_s", limits=PLAIN)),
        (4, result("Convergence speed", "convergence_speed_events_per_s", limits=PLAIN)),
        (2, result("Final projection lag", "final_projection_lag")),
        (2, result("Final event id lag", "final_event_id_lag")),
        (2, result("Final backlog", "final_backlog")),
    ]


def _strategies() -> list[tuple[int, Panel]]:
    return [
        (7, _by_strategy("Convergence speed", "convergence_speed_events_per_s")),
        (7, _by_strategy("Convergence time", "convergence_time_s")),
        (5, _latency_by_strategy()),
        (5, _sound_runs_by_strategy()),
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


def _by_strategy(title: str, field: str) -> Panel:
    found = metric(RESULT, field)
    return bars(
        f"{title}, median of the runs of a target and strategy",
        target(
            f'SELECT median("{field}") FROM "{RESULT.name}" WHERE "converged" = 1 AND {WITHIN} {EACH}',
            alias=NAMED,
        ),
        unit=unit(found),
        description=f"All converged runs of the scenario in the time range: {found.meaning}. A difference between few "
        "runs is no finding: `task bench:compare` says how much is noise.",
    )


def _latency_by_strategy() -> Panel:
    found = metric(RESULT, "handler_latency_ms")
    ends = f'min("{found.name}") AS "least", max("{found.name}") AS "most"'
    where = f'"converged" = 1 AND {WITHIN}'
    return bars(
        "Handler latency of the runs of a target and strategy",
        target(f'SELECT {ends} FROM "{RESULT.name}" WHERE {where} {EACH}', alias=f"{NAMED}, $col"),
        unit=unit(found),
        description="The least and the most of the converged runs that the medians beside join. Where they differ, "
        "the medians compare unlike runs: narrow the time range.",
    )


def _sound_runs_by_strategy() -> Panel:
    where = f'"converged" = 1 AND {WITHIN}'
    return bars(
        "Converged runs of a target and strategy",
        target(f'SELECT count("converged") FROM "{RESULT.name}" WHERE {where} {EACH}', alias=NAMED),
        unit="none",
        description="How many runs the medians beside stand on.",
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
                description=f"From the (intended) start of a request to its answer. {EACH_SECOND}",
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
        (8, worst("CPU of the load generator", GENERATOR, "cpu_percent", limits=busy)),
        (8, worst("Delay of the load generator's timers", GENERATOR, "scheduler_delay_ms", limits=late)),
        (4, worst("Points dropped", GENERATOR, "dropped_points", limits=NONE_ALLOWED)),
        (4, result("Generator saturated", "saturated", more="1: its throughput is a lower bound of the server's.")),
    ]
