"""`drills.json`: each drill with its repetitions, how often it hit, what the oracle counted, and its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Final, cast

from bench.drill import replay
from bench.drill.repetition import AROUND, COUNTED, Repetition, counts
from bench.preflight.settings import Settings
from metrics.records.answers.drills import SCHEMA, Curve, Drill, Drills, NotApplicable, Run, Verdict
from metrics.records.sections.target import Target
from settings.catalogue.load import SEED
from settings.targets import reader

_WRONG: Final = (*COUNTED, "blocked", "not_converged")
_MOST_KINDS: Final = 3
"""Kinds of errors that a line has room for; the rest is one."""


def build(
    drills: Sequence[Drill],
    target: Target,
    *,
    not_applicable: Sequence[NotApplicable] = (),
    why: str = "",
    took_s: float = 0.0,
) -> Drills:
    """The document. `why` it ended before its last repetition, empty where it did not."""
    return {
        "schema": SCHEMA,
        "target": target,
        "drills": list(drills),
        "not_applicable": list(not_applicable),
        "why": why,
        "took_s": round(took_s, 1),
    }


def drill(name: str, settings: Settings, wanted: int, runs: Sequence[Repetition]) -> Drill:
    """One drill. Repetitions that did not hit are listed, and count as nothing but runs whose counts must be 0 too."""
    hits = [run for run in runs if run.hit]
    failed = [run for run in runs if run.why_failed]
    counted = [counts(run.correctness) for run in runs]
    told: dict[str, Any] = {
        "name": name,
        "mode": settings.mode,
        "strategy": settings.strategy,
        "platform": next((run.platform for run in runs if run.platform), None),
        "repetitions": len(runs),
        "wanted": wanted,
        "hit": len(hits),
        **{count: total(each[count] for each in counted) for count in COUNTED},
        "blocked": sum(run.verdict == "blocked" for run in runs),
        "not_converged": sum(bool(run.why_failed) and not run.correctness.faults for run in runs),
        "takeover_s": spread(run.takeover_s for run in hits),
        "no_takeover_s": spread(run.none_within_s for run in hits),
        "stall_s": spread(run.stall_s for run in hits),
        "right_again_s": spread(run.right_again_s for run in hits),
        "visible_p99_ms": {span: spread(run.visible_p99_ms[span] for run in hits)["p50"] for span in AROUND},
        "errors": dict(sum((Counter(run.errors) for run in runs), Counter[str]()).most_common()),
        "not_told": sorted({one for run in hits for one in run.not_told}),
        "path": reader.own_path(settings.target),
        "settings": {name: value for name, value in settings.recorded().items() if name != SEED.name},
        "seeds": [run.seed for run in runs],
        "verdict": verdict(wanted, len(hits), failed),
    }
    made = cast("Drill", told)
    whose = "" if settings.target.name == reader.DEFAULT else settings.target.name
    made["runs"] = [_run(made, whose, run) for run in runs]
    return made


def curve(runs: Sequence[Repetition]) -> Curve | None:
    """Of the first repetition that failed, else of the first that hit."""
    shown = [run for run in runs if run.why_failed] or [run for run in runs if run.hit]
    return next((run.curve for run in shown if run.curve is not None), None)


def _run(made: Drill, target: str, run: Repetition) -> Run:
    again = replay.command(made, target, seed=run.seed) if run.why_failed else ""
    return {
        "run_id": run.run_id,
        "seed": run.seed,
        "hit": run.hit,
        "what": run.what,
        "why": run.why_failed,
        "replay": again,
    }


def verdict(wanted: int, hits: int, failed: Sequence[Repetition]) -> Verdict:
    """Failed is the gravest; what did not hit as often as asked has not been shown."""
    return "failed" if failed else "passed" if hits >= wanted else "not hit"


def total(found: Iterable[int | None]) -> int | None:
    """Their sum; None where the proof of none could see them."""
    seen = [count for count in found if count is not None]
    return sum(seen) if seen else None


def spread(values: Iterable[float | None]) -> dict[str, float | None]:
    """Median and maximum of what is known."""
    known = [value for value in values if value is not None]
    return {"p50": median(known) if known else None, "max": max(known, default=None)}


def wrong(drill: Mapping[str, Any]) -> int:
    """How many events and rows are wrong, in all repetitions."""
    return sum(drill[count] or 0 for count in COUNTED)


def counted(drills: Sequence[Drill]) -> str:
    """What is wrong after the fault, in all repetitions; empty where nothing is."""
    documents: Sequence[Mapping[str, Any]] = drills
    summed = {name: sum(each[name] or 0 for each in documents) for name in _WRONG}
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in summed.items() if count)


def taken_over(drill: Mapping[str, Any], most: str) -> str:
    """After how long another went on with the work, or that nobody did within the time that was waited."""
    none = (drill.get("no_takeover_s") or {}).get("max")
    unknown = "not told" if any(one.startswith("takeover") for one in drill.get("not_told") or ()) else "–"
    return _span(drill["takeover_s"], most, unknown if none is None else f"none within {none:.1f} s")


def stalled(drill: Mapping[str, Any], most: str) -> str:
    """For how long nothing moved, or nobody was answered."""
    return _span(drill["stall_s"], most)


def right_again(drill: Mapping[str, Any], most: str) -> str:
    """How long it took from the heal (the restart, after a kill) until as much was projected as there was then."""
    return _span(drill.get("right_again_s") or {}, most)


def _span(found: Mapping[str, float | None], most: str, otherwise: str = "–") -> str:
    middle, largest = found.get("p50"), found.get("max")
    if middle is None or largest is None:
        return otherwise
    told, longest = f"{middle:.1f} s", f"{largest:.1f} s"
    return told if told == longest else f"{told}, {most} {longest}"


def errors(drill: Mapping[str, Any]) -> str:
    """The failed requests by kind, the most frequent first; empty where none failed."""
    ordered = Counter(drill["errors"]).most_common()
    told = [f"{kind} {count:,}" for kind, count in ordered[:_MOST_KINDS]]
    rest = sum(count for _, count in ordered[_MOST_KINDS:])
    return ", ".join([*told, *([f"others {rest:,}"] if rest else [])])
