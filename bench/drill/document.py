"""`drills.json`: each drill with its repetitions, how often it hit, what the oracle counted, and its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Final

from bench.drill.repetition import COUNTED, Repetition
from bench.preflight.settings import Settings
from metrics.records.answers.drills import SCHEMA, Drill, Verdict
from settings.catalogue.load import SEED
from settings.targets import reader

_WRONG: Final = (*COUNTED, "blocked", "not_converged")


def build(drills: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The document."""
    return {"schema": SCHEMA, "drills": list(drills)}


def drill(name: str, settings: Settings, wanted: int, runs: Sequence[Repetition]) -> dict[str, Any]:
    """One drill. Repetitions that did not hit are listed, and count as nothing but runs whose counts must be 0 too."""
    hits = [run for run in runs if run.hit]
    failed = [run for run in runs if run.why_failed]
    counts = {count: total(getattr(run.correctness, count) for run in runs) for count in COUNTED}
    return {
        "name": name,
        "mode": settings.mode,
        "path": reader.own_path(settings.target),
        "settings": {name: value for name, value in settings.recorded().items() if name != SEED.name},
        "strategy": settings.strategy,
        "platform": next((run.platform for run in runs if run.platform), None),
        "repetitions": len(runs),
        "wanted": wanted,
        "hit": len(hits),
        **counts,
        "blocked": sum(run.verdict == "blocked" for run in runs),
        "not_converged": sum(bool(run.why_failed) and not run.correctness.faults for run in runs),
        "target": next((run.target for run in runs if run.target), ""),
        "takeover_s": spread(run.takeover_s for run in hits),
        "no_takeover_s": spread(run.none_within_s for run in hits),
        "right_again_s": spread(run.right_again_s for run in hits),
        "not_told": sorted({one for run in hits for one in run.not_told}),
        "visible_p99_ms": {
            span: spread(run.visible_p99_ms[span] for run in hits)["p50"] for span in ("before", "during", "after")
        },
        "errors": sum(run.errors for run in runs),
        "seeds": [run.seed for run in runs],
        "runs": [
            {"run_id": run.run_id, "seed": run.seed, "hit": run.hit, "what": run.what, "why": run.why_failed}
            for run in runs
        ],
        "verdict": verdict(wanted, len(hits), failed),
    }


def verdict(wanted: int, hits: int, failed: Sequence[Repetition]) -> Verdict:
    """Failed is the gravest; what did not hit as often as asked has not been shown."""
    return "failed" if failed else "passed" if hits >= wanted else "not hit"


def total(counts: Iterable[int | None]) -> int | None:
    """Their sum; None where the proof of none could see them."""
    seen = [count for count in counts if count is not None]
    return sum(seen) if seen else None


def spread(values: Iterable[float | None]) -> dict[str, float | None]:
    """Median and maximum of what is known."""
    known = [value for value in values if value is not None]
    return {"p50": median(known) if known else None, "max": max(known, default=None)}


def counted(drills: Sequence[Drill]) -> str:
    """What is wrong after the fault, in all repetitions; empty where nothing is."""
    documents: Sequence[Mapping[str, Any]] = drills
    summed = {name: sum(each[name] or 0 for each in documents) for name in _WRONG}
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in summed.items() if count)


def taken_over(drill: Mapping[str, Any], most: str) -> str:
    """After how long another went on with the work, or that nobody did within the time that was waited."""
    none = (drill.get("no_takeover_s") or {}).get("max")
    unknown = "not told" if any(one.startswith("takeover") for one in drill.get("not_told") or ()) else "–"
    return _told(drill["takeover_s"], most, unknown if none is None else f"none within {none:.1f} s")


def right_again(drill: Mapping[str, Any], most: str) -> str:
    """How long it took from the heal (the restart, after a kill) until as much was projected as there was then."""
    return _told(drill.get("right_again_s") or {}, most, "–")


def _told(found: Mapping[str, float | None], most: str, otherwise: str) -> str:
    middle, largest = found.get("p50"), found.get("max")
    return otherwise if middle is None or largest is None else f"{middle:.1f} s, {most} {largest:.1f} s"
