"""`report.html`: one self-contained page, a pure function of the result bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.bundle.histograms import read_histograms
from bench.bundle.reading import Read, read_bundle, refusing
from bench.report.charts import timelines, usage
from bench.report.notes import notes
from bench.report.page import page
from bench.report.sections import answers, caveats, conditions, latency, staleness, verdict, waterfall, why
from bench.report.words import machine_line, measured, revision, software_line
from metrics.records.fault import Injected
from metrics.records.verification import Verification

CONTENTS: Final = (
    ("proof", "Proof"),
    ("answers", "Answers"),
    ("timeline", "Over time"),
    ("latency", "Latency"),
    ("staleness", "Staleness"),
    ("waterfall", "Waterfall"),
    ("why", "Why"),
    ("caveats", "Not concluded"),
    ("conditions", "Settings"),
)
OF_RESULTS: Final = ("answers", "latency", "staleness", "waterfall", "caveats")
"""Sections with numbers of a sound run: any other run has none of them."""


def render(folder: Path) -> str:
    """The page for the bundle in `folder`. Numbers are shown as results only when the run is sound.

    Raises SetupError for a bundle that can not be used.
    """
    bundle = read_bundle(folder)
    sound = bundle.result.sound and bundle.documents["postgres"].get("profile") != "test"
    time = _time(bundle)
    parts = {**_results(bundle), **_diagnosis(bundle, time["charts"])} if sound else _diagnosis(bundle, time["charts"])
    extra = [each for each in (parts.get("percentiles"), parts.get("seen_curve")) if each]
    drawn = {**time, "charts": [*time["charts"], *extra]}
    return page("report/index.html", charts_data=drawn, **_frame(bundle, sound, time), **{**_EMPTY, **parts})


_EMPTY: Final[Mapping[str, Any]] = {
    **{"answers": [], "latencies": [], "latency_left_out": "", "percentiles": None, "lags": []},
    **{"staleness": [], "staleness_untold": [], "seen_curve": None, "waterfall": {"rows": [], "reason": ""}},
    **{"caveats": [], "commands": [], "why": None},
}


def _frame(bundle: Read, sound: bool, time: Mapping[str, Any]) -> dict[str, Any]:
    result, documents = bundle.result, bundle.documents
    begun = _start(bundle)
    shown = [each for each in CONTENTS if sound or each[0] not in OF_RESULTS]
    return {
        "r": result,
        "title": measured(result),
        "sound": sound,
        "verdict": verdict.verdict(result, sound=sound),
        "proof": verdict.proof(result, bundle.verification.not_seen if bundle.verification else ""),
        "notes": notes(result, documents["postgres"], bundle.fault, bundle.samples.cut),
        "contents": shown,
        "phases": time["phases"],
        "offenders": (bundle.verification or Verification()).offenders,
        "conditions": conditions.groups(result, documents),
        "machine_line": machine_line(documents["machine"]),
        "software_line": software_line(documents["postgres"], documents["versions"]),
        "when": datetime.fromtimestamp(begun, UTC).strftime("%d %B %Y, %H:%M UTC") if begun else "",
        "footer": f"revision {revision(documents['versions'])}",
    }


def _results(bundle: Read) -> dict[str, Any]:
    """The sections with numbers."""
    result, documents = bundle.result, bundle.documents
    verification, document = bundle.verification or Verification(), result.to_dict()
    with refusing():
        histograms = read_histograms(bundle.folder)
    stages = documents["loadgen"].get("stages", [])
    return {
        "answers": answers.answers(result, verification),
        "latencies": latency.rows(histograms),
        "latency_left_out": latency.left_out(histograms),
        "percentiles": latency.curves(histograms),
        "lags": _lags(document),
        "stages": stages if len(stages) > 1 else [],
        "staleness": staleness.told(result.staleness),
        "staleness_untold": staleness.untold(result.staleness),
        "seen_curve": staleness.curve(result.staleness),
        "waterfall": waterfall.waterfall(result.waterfall_ms),
        "why": why.why(result),
        "caveats": caveats.caveats(result, documents, verification, samples=len(bundle.samples.records)),
        "commands": conditions.commands(result, documents["versions"]),
    }


def _diagnosis(bundle: Read, plots: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What helps with any run, sound or not."""
    uses = [chart for chart in plots if chart["id"].startswith("use-")]
    over_time = [chart for chart in plots if chart not in uses]
    return {"plots": over_time, "uses": uses, "left_out": timelines.left_out(bundle.samples.records)}


def _time(bundle: Read) -> dict[str, Any]:
    """Timelines with the phases, moments and range that they share."""
    loadgen, samples = bundle.documents["loadgen"], bundle.samples.records
    start = _start(bundle)
    end = samples[-1]["t"] if samples else start
    spans = timelines.phases(loadgen, start, end)
    upto = max([end - start, *(span["to"] for span in spans)])
    plots = timelines.timelines(samples, start) if samples else []
    plots = [*plots, *usage.usage(bundle.resources.records, start, start + upto)]
    return {"charts": plots, "phases": spans, "moments": _moments(bundle.fault, start), "range": [0, upto]}


def _lags(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = (
        ("backlog", "events, exact"),
        ("projection_lag", "todos against the expected count"),
        ("event_id_lag", "positions, holes included"),
    )
    return [
        {
            "name": name.replace("_", " "),
            "meaning": document[name].get("why") or about,
            "values": [document[name][each] for each in _LAG],
        }
        for name, about in rows
    ]


_LAG: Final = ("p50", "p95", "max", "final")


def _start(bundle: Read) -> float:
    loadgen, samples = bundle.documents["loadgen"], bundle.samples.records
    begun = [phase["started_at"] for phase in loadgen.get("phases", [])]
    begun += [samples[0]["t"] - samples[0]["elapsed_s"]] if samples else []
    return float(min(begun, default=0.0))


def _moments(fault: Injected | None, start: float) -> list[dict[str, Any]]:
    if fault is None:
        return []
    moments = {fault.fault: fault.invoked_at, "healed": fault.healed_at}
    return [{"name": name, "at": at - start} for name, at in moments.items() if at is not None]
