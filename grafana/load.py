"""The dashboard *Load*: what users of k6's and Locust's own dashboards look for."""

from __future__ import annotations

from typing import Any, Final

from grafana.board import board
from grafana.panels import (
    GREEN,
    NONE_ALLOWED,
    ORANGE,
    RED,
    Panel,
    gauge,
    heatmap,
    on_right,
    stat,
    table,
    timeseries,
    unit,
)
from grafana.queries import CHOSEN, latest, metric, over_time, target
from grafana.runs import newest_conditions, newest_verdict, result, sound_runs, unsound_runs
from metrics.catalogue import ABOVE, BUCKETS_MS, ENDPOINT, FAILURE, LOAD, bucket
from metrics.target import DASHBOARD

UID: Final = "load"
_BY_ENDPOINT: Final = ("endpoint", "run")
_WORST: Final = "Over more than one second, that of the worst one: percentiles are never averaged."


def load() -> dict[str, Any]:
    """The dashboard."""
    return board(
        UID,
        "Load",
        description="Users, requests, failures and latencies, by endpoint.",
        others=[DASHBOARD],
        rows=[
            ("Now", 4, _now()),
            ("Requests", 9, _requests()),
            ("Response times", 9, _times()),
            ("Totals", 9, _totals()),
            ("Runs", 8, [(24, _runs()), (24, unsound_runs())]),
        ],
    )


def _now() -> list[tuple[int, Panel]]:
    return [
        (2, _newest("Users", "users")),
        (3, _newest("Actions", "actions_per_s")),
        (3, _newest("Reads", "reads_per_s")),
        (2, _newest("Errors", "errors", limits=NONE_ALLOWED)),
        (3, result("Acknowledged writes checked", "acknowledged_checked", limits=((None, ORANGE), (1, GREEN)))),
        (3, result("Faults", "faults")),
        (4, newest_verdict()),
        *newest_conditions(),
    ]


def _newest(title: str, name: str, **more: Any) -> Panel:
    found = metric(LOAD, name)
    description = f"The newest second of the chosen runs: {found.meaning}."
    return stat(title, latest(LOAD, name), name, unit=unit(found), description=description, **more)


def _requests() -> list[tuple[int, Panel]]:
    together = timeseries(
        "Requests and users",
        [over_time(LOAD, "max", "users", label="users"), _summed("requests_per_s", "requests")],
        unit="reqps",
        description="Requests that came to an end, a second, over all endpoints, and the users that make them.",
    )
    return [
        (16, on_right(together, "^users", unit="none", label="users")),
        (8, _error_gauge()),
        (12, _by_endpoint("Requests by endpoint", "mean", "requests_per_s")),
        (12, _by_endpoint("Failures by endpoint", "mean", "failures_per_s", limits=((None, GREEN), (1, RED)))),
    ]


def _summed(name: str, label: str) -> dict[str, Any]:
    """Of each second the sum over the endpoints, of longer intervals the mean of their seconds."""
    inner = f'SELECT sum("{metric(ENDPOINT, name).name}") AS "{label}" FROM "{ENDPOINT.name}" WHERE {CHOSEN}'
    groups = 'GROUP BY time($__interval), "run" fill(none)'
    query = f'SELECT mean("{label}") FROM ({inner} GROUP BY time(1s), "run" fill(none)) WHERE $timeFilter {groups}'
    return target(query, alias=f"{label} $tag_run")


def _error_gauge() -> Panel:
    share = 'sum("failures") / sum("requests")'
    return gauge(
        "Share of failures",
        target(f'SELECT {share} AS "failed" FROM "{ENDPOINT.name}" WHERE {CHOSEN}'),
        unit="percentunit",
        description="Requests that failed, of all requests of the chosen runs in the time range.",
        limits=((None, GREEN), (0.001, ORANGE), (0.01, RED)),
        top=0.05,
    )


def _by_endpoint(title: str, function: str, name: str, *, more: str = "", **options: Any) -> Panel:
    found = metric(ENDPOINT, name)
    return timeseries(
        title,
        [over_time(ENDPOINT, function, name, by=_BY_ENDPOINT)],
        unit=unit(found),
        description=f"{found.meaning[0].upper()}{found.meaning[1:]}. {more}".strip(),
        **options,
    )


def _times() -> list[tuple[int, Panel]]:
    return [
        (12, _of_kind("Response time of actions", "action")),
        (12, _of_kind("Response time of reads", "read")),
        (12, _heatmap()),
        (12, _by_endpoint("95th percentile by endpoint", "max", "latency_p95_ms", more=_WORST)),
        (6, _by_endpoint("Smallest by endpoint", "min", "latency_min_ms", more="The fastest answer.")),
        (6, _by_endpoint("Mean by endpoint", "mean", "latency_mean_ms", more="The mean of the seconds' means.")),
        (6, _by_endpoint("90th percentile by endpoint", "max", "latency_p90_ms", more=_WORST)),
        (6, _by_endpoint("Largest by endpoint", "max", "latency_max_ms", more="The slowest answer.")),
    ]


def _of_kind(title: str, kind: str) -> Panel:
    labels = {"p50": "median", "p95": "95 %", "p99": "99 %"}
    return timeseries(
        title,
        [over_time(LOAD, "max", f"{kind}_{rank}_ms", label=label) for rank, label in labels.items()],
        unit="ms",
        description=f"From the (intended) start to the answer, percentiles of each second. {_WORST}",
    )


def _heatmap() -> Panel:
    names = [*((bucket(bound), str(bound)) for bound in BUCKETS_MS), (ABOVE, "+Inf")]
    sums = ", ".join(f'sum("{metric(ENDPOINT, name).name}") AS "{label}"' for name, label in names)
    query = f'SELECT {sums} FROM "{ENDPOINT.name}" WHERE {CHOSEN} GROUP BY time($__interval) fill(none)'
    return heatmap(
        "Response times of all requests",
        target(query, alias="$col"),
        unit="ms",
        description="How many answers came within which time; a row is named by its upper bound.",
    )


def _totals() -> list[tuple[int, Panel]]:
    sums = ", ".join(f'sum("{name}") AS "{name}"' for name in ("requests", "failures", "rejected"))
    rate = 'mean("requests_per_s") AS "requests_per_s"'
    times = {"min": "latency_min_ms", "mean": "latency_mean_ms", "max": "latency_max_ms"}
    latencies = ", ".join(f'{function}("{name}") AS "{name}"' for function, name in times.items())
    ranks = ", ".join(f'max("{name}") AS "worst_{name}"' for name in ("latency_p50_ms", "latency_p95_ms"))
    columns = {name: {"unit": "ms", "decimals": 1} for name in (*times.values(), "worst_latency_p50_ms")}
    requests = table(
        "Requests",
        target(
            f'SELECT {sums}, {rate}, {latencies}, {ranks} FROM "{ENDPOINT.name}" WHERE {CHOSEN} GROUP BY "endpoint"',
            table=True,
        ),
        description="Totals of the chosen runs in the time range. Percentiles: those of the worst second.",
        columns={
            **columns,
            "worst_latency_p95_ms": {"unit": "ms", "decimals": 1},
            "requests_per_s": {"unit": "reqps", "decimals": 1},
        },
        hide=("Time", "time"),
        sort="requests",
    )
    failures = table(
        "Failures",
        target(
            f'SELECT sum("failures") AS "failures" FROM "{FAILURE.name}" WHERE {CHOSEN} GROUP BY "endpoint", "reason"',
            table=True,
        ),
        description="Failed requests of the chosen runs in the time range, by endpoint and reason.",
        columns={"failures": {"unit": "none"}},
        hide=("Time", "time"),
        sort="failures",
    )
    return [(16, requests), (8, failures)]


def _runs() -> Panel:
    return sound_runs(
        "actions_per_s",
        "reads_per_s",
        "action_p50_ms",
        "action_p95_ms",
        "action_p99_ms",
        "read_p50_ms",
        "read_p95_ms",
        "read_p99_ms",
        "errors",
        "rejected",
        "cpu_us_per_request",
        "saturated",
    )
