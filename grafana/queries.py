"""InfluxQL as the panels ask it. A name that the catalogue does not have can not be asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from metrics.catalogue import Measurement, Metric

SOURCE: Final = {"type": "influxdb", "uid": "influxdb"}
WITHIN: Final = '"scenario" =~ /^$scenario$/ AND $timeFilter'
"""All runs of the scenario in the time range."""
CHOSEN: Final = f'"run" =~ /^$run$/ AND "target" =~ /^$target$/ AND "strategy" =~ /^$strategy$/ AND {WITHIN}'
"""The runs that the variables choose."""


def metric(measurement: Measurement, name: str) -> Metric:
    """The metric of that name. Raises KeyError."""
    return {metric.name: metric for metric in measurement.metrics}[name]


def over_time(
    measurement: Measurement, function: str, name: str, *, by: Iterable[str] = ("run",), label: str = ""
) -> dict[str, Any]:
    """A line for each value of the tags `by`; `function` joins the seconds of an interval that is longer than one."""
    tags = _tags(measurement, by)
    value = f'{function}("{metric(measurement, name).name}")'
    return _line(measurement, value, tags, label)


def growth(measurement: Measurement, name: str, *, by: Iterable[str], label: str = "") -> dict[str, Any]:
    """How fast a total grows, a second."""
    value = f'non_negative_derivative(max("{metric(measurement, name).name}"), 1s)'
    return _line(measurement, value, _tags(measurement, by), label)


def latest(measurement: Measurement, marker: str, *names: str) -> dict[str, Any]:
    """The newest point that has the field `marker`, and what it has of the other fields, from the chosen runs.

    Each field by its own `last` would mix the runs: an older run's figure for one that gave none.
    """
    fields = [f'last("{metric(measurement, marker).name}") AS "{marker}"']
    fields += [f'"{metric(measurement, name).name}"' for name in names]
    return target(f'SELECT {", ".join(fields)} FROM "{measurement.name}" WHERE {CHOSEN}', table=True)


def target(query: str, *, alias: str = "", table: bool = False) -> dict[str, Any]:
    """A query as a panel holds it; `refId` is given when the panel is made."""
    return {
        "datasource": SOURCE,
        "query": query,
        "rawQuery": True,
        "resultFormat": "table" if table else "time_series",
        **({"alias": alias} if alias else {}),
    }


def _line(measurement: Measurement, value: str, tags: list[str], label: str) -> dict[str, Any]:
    alias = " ".join(filter(None, [label, *(f"$tag_{tag}" for tag in tags)]))
    groups = ", ".join(["time($__interval)", *(f'"{tag}"' for tag in tags)])
    query = f'SELECT {value} FROM "{measurement.name}" WHERE {CHOSEN} GROUP BY {groups} fill(none)'
    return target(query, alias=alias)


def _tags(measurement: Measurement, names: Iterable[str]) -> list[str]:
    tags = list(names)
    if unknown := set(tags) - set(measurement.tags):
        raise KeyError(f"{measurement.name} has no tag {unknown.pop()!r}")
    return tags
