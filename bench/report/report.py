"""`report.html`: one self-contained page, a pure function of the result bundle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench.bundle.reading import Read, read_bundle
from bench.preflight.description import durable
from bench.report import charts
from metrics.records.fault import Injected
from metrics.records.result import Percentiles, Result, Visibility
from metrics.records.sections.convergence import Convergence
from metrics.records.verification import Verification
from settings.tracing import traced

TEMPLATES: Final = Path(__file__).parent / "templates"
WORDS: Final = {
    "converged": "Converged",
    "timed_out": "Timed out",
    "diverged": "Diverged",
    "blocked": "Blocked",
    "invalid": "Invalid",
}
CHECKS: Final = (
    ("lost", "events that never took effect"),
    ("duplicated", "events that took effect more than once"),
    ("reordered", "events that took effect after a later one of their stream"),
    ("phantom", "effects without an event"),
    ("mismatched_rows", "rows and counters that differ from the fold of the events"),
)


def render(folder: Path) -> str:
    """The page for the bundle in `folder`. Numbers are shown as results only when the run is sound.

    Raises SetupError for a bundle that can not be used.
    """
    return page("report.html", **_context(read_bundle(folder)))


def page(template: str, *, charts_data: Any = None, **context: Any) -> str:
    """Fill a template. `charts_data` is what page.js draws; nothing is embedded without it."""
    drawn = charts.embed(charts_data) if charts_data else None
    context |= {"charts": drawn, "plotly_js": charts.plotly_js() if drawn else Markup("")}
    return _templates().get_template(template).render(**context)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters.update(whole=whole, ms=milliseconds)
    return environment


def _context(bundle: Read) -> dict[str, Any]:
    result, documents, samples = bundle.result, bundle.documents, bundle.samples.records
    loadgen, postgres = documents["loadgen"], documents["postgres"]
    verification = bundle.verification or Verification()
    sound = result.sound and postgres.get("profile") != "test"
    start = _start(loadgen, samples)
    plots = charts.timelines(samples, start) if samples else []
    end = samples[-1]["t"] if samples else start
    spans = charts.phases(loadgen, start, end)
    upto = max([end - start, *(span["to"] for span in spans)])
    drawn = {"charts": plots, "phases": spans, "moments": _moments(bundle.fault, start), "range": [0, upto]}
    return {
        "charts_data": drawn if plots else None,
        "plots": plots,
        "left_out": charts.left_out(samples),
        "r": result,
        "sound": sound,
        "tone": "good" if sound else "open" if result.verdict in ("timed_out", "blocked") else "bad",
        "verdict": WORDS[result.verdict],
        "headline": _headline(result, sound),
        "notes": [*_notes(result, documents["postgres"], bundle.fault), *_warnings(bundle.samples.cut)],
        "cards": _cards(result, verification),
        "checks": _checks(result),
        "offenders": verification.offenders,
        "latencies": _latencies(result, verification),
        "lags": _lags(result),
        "stages": loadgen.get("stages", []) if len(loadgen.get("stages", [])) > 1 else [],
        "conditions": _conditions(result, documents),
        "machine_line": machine_line(documents["machine"]),
        "software_line": software_line(documents["postgres"], documents["versions"]),
        "when": datetime.fromtimestamp(start, UTC).strftime("%d %B %Y, %H:%M UTC") if start else "",
        "footer": f"revision {_revision(documents['versions'])}",
    }


def _headline(result: Result, sound: bool) -> str:
    checked = result.correctness
    if sound:
        return (
            f"{whole(checked.events_checked)} events folded again and {whole(checked.acknowledged_checked)} "
            f"acknowledged writes read back: no fault. "
            f"In step {seconds(result.convergence.time_s)} after the last write."
        )
    if result.sound:
        return "Measured with the test profile of Postgres, which a report does not publish."
    return "This run gives no results. Why:"


def _notes(result: Result, postgres: Mapping[str, Any], fault: Injected | None) -> list[dict[str, Any]]:
    settings = result.settings
    notes = [{"text": f"handler latency {settings.get('HANDLER_LATENCY_MS', 0)} ms an event", "warns": False}]
    notes[0]["warns"] = bool(settings.get("HANDLER_LATENCY_MS"))
    if (handler := settings.get("HANDLER", "set")) != "set":
        notes.append({"text": f"handler {handler}: a function for each event", "warns": True})
    if (models := settings.get("READ_MODELS", "todos")) != "todos":
        notes.append({"text": f"read models {models}, kept in the same transactions", "warns": True})
    if postgres and not durable(postgres):
        notes.append({"text": "not durable: fsync or synchronous_commit is off", "warns": True})
    if traced(settings):
        notes.append(
            {"text": "traced: the API and the projectors exported spans while they were measured", "warns": True}
        )
    if settings.get("LOG_LEVEL") == "debug":
        notes.append({"text": "LOG_LEVEL=debug: the services logged all that they did", "warns": True})
    if result.generator.saturated:
        text = "the load generator was saturated: its throughput is a lower bound of the server's"
        notes.append({"text": text, "warns": True})
    if dropped := result.generator.dropped_points:
        notes.append({"text": f"{whole(dropped)} points never reached InfluxDB; this bundle has them", "warns": True})
    notes = [*_warnings(*result.doubts), *notes, *_warnings(*result.warnings)]
    if fault is not None:
        notes.append({"text": f"in the load phase {fault.what}{after(fault)}", "warns": True})
    return notes


def _warnings(*texts: str) -> list[dict[str, Any]]:
    return [{"text": text, "warns": True} for text in texts if text]


def _cards(result: Result, verification: Verification) -> list[dict[str, str]]:
    t, v, c = result.throughput, result.visibility_ms, result.convergence
    projected = verification.projected_ms
    return [
        _card("Actions", whole(t.actions_per_s), "/s", f"{whole(t.actions)} acknowledged"),
        _card("Reads", whole(t.reads_per_s), "/s", f"{whole(t.reads)} answered"),
        _latency_card("Action latency", result.latency_ms.actions),
        _latency_card("Write to visible", v),
        _latency_card("Insert to projected", projected),
        _card("Convergence", seconds(c.time_s), "", worked_off(c)),
        _card("Largest backlog", whole(result.backlog.max), "events", f"p50 {whole(result.backlog.p50)}"),
        _card("Errors", whole(t.errors), "", f"{whole(t.rejected)} refused by the rules"),
    ]


def _card(label: str, value: str, unit: str, under: str) -> dict[str, str]:
    return {"label": label, "value": value, "unit": unit, "under": under}


def after(fault: Injected) -> str:
    """How the work of a projector went on that a fault struck; nothing where there was none to take over."""
    takeover = fault.takeover.takeover_s
    return "" if takeover is None else f"; its work was taken over after {takeover:.1f} s"


def _latency_card(label: str, p: Percentiles | Visibility) -> dict[str, str]:
    if not p.max:
        return _card(label, "–", "", "nothing of the kind in this run")
    return _card(label, milliseconds(p.p50), "ms", f"p99 {milliseconds(p.p99)} ms")


def worked_off(convergence: Convergence) -> str:
    """What was left to project after the last write, and how fast that was done."""
    if convergence.speed_events_per_s is None:
        return f"speed not told: {convergence.why}"
    return f"{whole(convergence.events)} events, {whole(convergence.speed_events_per_s)} events/s"


def _checks(result: Result) -> list[dict[str, Any]]:
    c = result.correctness
    checks = [
        {"name": name.replace("_", " "), "meaning": text, "looked_at": c.events_checked, "faults": getattr(c, name)}
        for name, text in CHECKS
    ]
    missing = {"name": "acknowledged, then missing", "meaning": "acknowledged writes that a final read over HTTP lacks"}
    return [*checks, {**missing, "looked_at": c.acknowledged_checked, "faults": c.acknowledged_missing}]


def _latencies(result: Result, verification: Verification) -> list[dict[str, Any]]:
    rows = (
        ("actions", "start to acknowledgement", result.latency_ms.actions),
        ("reads", "start to answer", result.latency_ms.reads),
        ("write to visible", f"{whole(result.visibility_ms.samples)} sampled writes", result.visibility_ms),
        ("insert to projected", f"{whole(verification.projected_samples)} events", verification.projected_ms),
    )
    return [{"name": n, "meaning": m, "values": [p.p50, p.p95, p.p99, p.max] if p.max else []} for n, m, p in rows]


def _lags(result: Result) -> list[dict[str, Any]]:
    rows = (
        ("backlog", "events, exact", result.backlog),
        ("projection lag", "todos against the expected count", result.projection_lag),
        ("event id lag", "positions, holes included", result.event_id_lag),
    )
    return [{"name": n, "meaning": m, "values": [d.p50, d.p95, d.max, d.final]} for n, m, d in rows]


def _conditions(result: Result, documents: dict[str, Any]) -> list[dict[str, Any]]:
    versions, postgres = documents["versions"], documents["postgres"]
    settings = [(name, "–" if value is None else str(value)) for name, value in result.settings.items()]
    machine = [(name.replace("_", " "), str(value)) for name, value in documents["machine"].items()]
    built = [("revision", _revision(versions)), ("python", str(versions.get("python", "–")))]
    built += list(versions.get("packages", {}).items())
    generator = result.generator
    judge = [
        ("CPU of the generator", f"{generator.cpu_percent:.0f} % of one core"),
        ("requests begun", f"{generator.achieved_rate:,.0f} /s"),
        ("target rate", "closed loop" if generator.target_rate is None else f"{generator.target_rate:,.0f} /s"),
        ("saturated", "yes" if generator.saturated else "no"),
        ("points that InfluxDB never got", whole(generator.dropped_points)),
    ]
    server = [("version", str(postgres.get("version", "–"))), ("from", str(postgres.get("source", "–")))]
    server += [("TLS", "on" if postgres.get("tls") else "off")] if "tls" in postgres else []
    server += [*postgres.get("environment", {}).items(), *postgres.get("settings", {}).items()]
    groups = [("Settings", settings), ("Machine", machine), ("Postgres", server), ("Versions", built)]
    groups.append(("Load generator", judge if result.sound else []))
    return [{"title": title, "rows": rows} for title, rows in groups if rows]


def machine_line(machine: Mapping[str, Any]) -> str:
    """The machine in one line."""
    if not machine:
        return "machine unknown"
    cores, installed = machine["cores"], machine.get("cores_installed", machine["cores"])
    share = f"{cores} cores" if cores == installed else f"{cores} of {installed} cores"
    return f"{machine['cpu_model']} · {share} · {machine['ram_gib']:g} GiB · {machine['os']}"


def software_line(postgres: Mapping[str, Any], versions: Mapping[str, Any]) -> str:
    """Server, Python and revision in one line."""
    server = f"Postgres {postgres['version']} ({postgres['source']})" if postgres else "Postgres not reached"
    return f"{server} · {versions.get('python', 'Python')} · revision {_revision(versions)}"


def _revision(versions: Mapping[str, Any]) -> str:
    revision = versions.get("revision")
    return f"{revision[:10]}{' with changes' if versions.get('dirty') else ''}" if revision else "unknown"


def _start(loadgen: Mapping[str, Any], samples: list[dict[str, Any]]) -> float:
    begun = [phase["started_at"] for phase in loadgen.get("phases", [])]
    begun += [samples[0]["t"] - samples[0]["elapsed_s"]] if samples else []
    return float(min(begun, default=0.0))


def _moments(fault: Injected | None, start: float) -> list[dict[str, Any]]:
    if fault is None:
        return []
    moments = {fault.fault: fault.invoked_at, "healed": fault.healed_at}
    return [{"name": name, "at": at - start} for name, at in moments.items() if at is not None]


def whole(value: float) -> str:
    """A count or a rate: grouped, one decimal below ten unless whole."""
    return f"{value:,.1f}" if 0 < abs(value) < 10 and value != int(value) else f"{value:,.0f}"


def milliseconds(value: float) -> str:
    """Three figures or so."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def seconds(value: float) -> str:
    """A duration with its unit."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:,.1f} s"
