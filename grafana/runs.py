"""What both dashboards say about whole runs: the newest one's verdict, and lists with links."""

from __future__ import annotations

from typing import Any, Final

from grafana.panels import NONE_ALLOWED, PLAIN, Panel, Steps, stat, table, unit, verdict, verdict_words
from grafana.queries import WITHIN, latest, metric, target
from metrics.catalogue import CONDITIONS, RESULT
from metrics.target import DASHBOARD

TO_RUN: Final = {
    "title": "Look at this run alone",
    "url": f"/d/{DASHBOARD}?from=${{__data.fields.started_at_ms.numeric}}&to=${{__data.fields.ended_at_ms.numeric}}"
    "&var-run=${__data.fields.run}",
}
_CONDITIONS: Final = tuple(found.name for found in CONDITIONS)
_TIMES: Final = ("started_at_ms", "ended_at_ms")


def result(title: str, field: str, *, limits: Steps = NONE_ALLOWED, more: str = "") -> Panel:
    """One figure of the newest of the chosen runs; a run that is no proof has no figures but its final lags."""
    found = metric(RESULT, field)
    description = f"The newest of the chosen runs: {found.meaning}. {more}".strip()
    query = latest(RESULT, "verdict", field)
    return stat(title, query, field, unit=unit(found), description=description, limits=limits)


def newest_conditions() -> list[tuple[int, Panel]]:
    """What the newest of the chosen runs was run under, to stand beside its verdict: 4 wide in all."""
    titles = {"projectors": "Projectors of the run", "handler_latency_ms": "Handler latency"}
    return [(2, result(titles[name], name, limits=PLAIN)) for name in _CONDITIONS]


def newest_verdict() -> Panel:
    """The verdict of the newest of the chosen runs."""
    description = (
        "The newest of the chosen runs. Converged: counts match, the backlog is 0, and no oracle found a fault. "
        "Only then are its figures results."
    )
    return verdict("Verdict", latest(RESULT, "verdict"), description=description)


def sound_runs(*fields: str) -> Panel:
    """A row for each converged run, with what it was run under and these figures."""
    shown = (*_CONDITIONS, *fields)
    columns = {name: _column(name) for name in shown} | _columns()
    return table(
        "Runs",
        _of_each_run('"converged" = 1', "converged", *shown, *_TIMES),
        description="Every converged run of the scenario in the time range, whatever run and strategy are chosen. "
        "A click on a run shows it alone.",
        columns=columns,
        hide=("Time", "time", "converged"),
        sort="started",
    )


def unsound_runs() -> Panel:
    """A row for each run that is no proof, with the reason."""
    columns: dict[str, dict[str, Any]] = {
        "verdict": {"mappings": [verdict_words()], "custom__cellOptions": {"type": "color-text"}},
        "why": {"unit": "string", "custom__width": 700},
        **{name: _column(name) for name in (*_CONDITIONS, "faults")},
        **_columns(),
    }
    return table(
        "Runs without a result",
        _of_each_run('"converged" = 0', "verdict", *_CONDITIONS, "why", "faults", *_TIMES),
        description="Every run of the scenario in the time range that did not converge or had a fault, and why. "
        "Its figures are no results and are not shown.",
        columns=columns,
        hide=("Time", "time"),
        sort="started",
    )


def _of_each_run(condition: str, marker: str, *fields: str) -> dict[str, Any]:
    names = ", ".join(f'"{metric(RESULT, name).name}"' for name in fields)
    chosen = f'last("{metric(RESULT, marker).name}") AS "{marker}", {names}'
    query = (
        f'SELECT {chosen} FROM "{RESULT.name}" WHERE {condition} AND {WITHIN} '
        'GROUP BY "run", "target", "strategy", "scenario"'
    )
    return target(query, table=True)


def _column(name: str) -> dict[str, Any]:
    return {"unit": unit(metric(RESULT, name)), "decimals": 1}


def _columns() -> dict[str, dict[str, Any]]:
    return {
        "started_at_ms": {"unit": "dateTimeAsIso", "displayName": "started"},
        "ended_at_ms": {"unit": "dateTimeAsIso", "displayName": "ended"},
        "run": {"links": [TO_RUN], "custom__width": 330},
    }
