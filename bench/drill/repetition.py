"""One repetition of a drill: a run with its fault, and what the drill takes from the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from bench.bundle.samples import Samples
from bench.drill.curve import curve, longest, unacknowledged_s, worst
from metrics.reading import read_optional
from metrics.records.answers.drills import Curve
from metrics.records.fault import Injected
from metrics.records.loadgen import Loadgen
from metrics.records.result import Correctness, Result, Verdict
from metrics.records.sections.target import Target
from metrics.records.verification import Verification

COUNTED: Final = ("lost", "doubled", "reordered", "phantom", "wrong_rows")
"""What must be 0, whatever was done to the system."""
AROUND: Final = ("before", "during", "after")
_NOWHERE: Final[Mapping[str, float | None]] = MappingProxyType(dict.fromkeys(AROUND))


@dataclass(frozen=True)
class Repetition:
    """`why_failed` is empty where the system lost nothing and came back; what was not hit proves nothing either way.

    A run in which no acknowledged write was read back, as the load generator had given up, counts as one without a hit;
    one in which the system did not come back has shown just that.
    """

    run_id: str
    platform: str
    seed: int
    hit: bool
    verdict: Verdict
    correctness: Correctness
    takeover_s: float | None
    visible_p99_ms: Mapping[str, float | None]
    what: str
    why_failed: str
    errors: Mapping[str, int] = field(default_factory=dict)
    target: Target | None = None
    none_within_s: float | None = None
    right_again_s: float | None = None
    stall_s: float | None = None
    not_told: Sequence[str] = ()
    curve: Curve | None = None

    @classmethod
    def read(cls, folder: Path, result: Result, seed: int) -> Repetition:
        """Take it from a run's bundle and its result."""
        fault = read_optional(folder / "fault.json", Injected)
        verification = read_optional(folder / "verification.json", Verification)
        told = read_optional(folder / "loadgen.json", Loadgen) or {}
        return cls(
            run_id=folder.name,
            target=result.target,
            platform=fault.platform if fault else "",
            seed=seed,
            hit=fault is not None and fault.hit and _concluded(result),
            verdict=result.verdict,
            correctness=result.correctness,
            errors=told.get("errors", {}),
            why_failed=judge(result.verdict, result.why, result.correctness, verification),
            **_of_fault(fault, Samples(folder / "samples.jsonl").new(), folder.name),
        )


def _of_fault(fault: Injected | None, samples: Sequence[Mapping[str, Any]], run_id: str) -> dict[str, Any]:
    """What it did, and what it cost."""
    if fault is None:
        return {"what": "the run ended before the fault", "takeover_s": None, "visible_p99_ms": _NOWHERE}
    quiet_s = unacknowledged_s(samples, fault.invoked_at)
    return {
        "what": fault.what,
        "takeover_s": fault.takeover.takeover_s,
        "none_within_s": fault.takeover.none_within_s,
        "not_told": fault.takeover.not_told,
        "right_again_s": fault.right_again_s,
        "stall_s": longest([fault.projection_stall_s, fault.api_silence_s, quiet_s]),
        "visible_p99_ms": worst(samples, fault),
        "curve": curve(run_id, fault, samples),
    }


def counts(found: Correctness) -> dict[str, int | None]:
    """What the proof of a run counted, by the names of `drills.json`; None where its level can not see it.

    Rows are wrong by the fold of the events, or by reading again what was acknowledged, which every level does.
    """
    return {
        "lost": found.lost,
        "doubled": found.duplicated,
        "reordered": found.reordered,
        "phantom": found.phantom,
        "wrong_rows": (found.mismatched_rows or 0) + found.acknowledged_missing,
    }


def _concluded(result: Result) -> bool:
    """Whether the run was followed to its end: what was acknowledged was read back, or nothing came of the wait."""
    return result.correctness.acknowledged_checked > 0 or result.verdict in ("timed_out", "blocked")


def judge(verdict: Verdict, why: str, correctness: Correctness, verification: Verification | None) -> str:
    """Why the drill failed, empty where it did not. Pure.

    Requests that failed under the fault make a run `invalid` for its numbers, and not for its safety: then every event
    must have taken effect all the same.
    """
    if correctness.faults or verdict in ("diverged", "blocked", "timed_out"):
        return why
    if verdict == "converged":
        return ""
    if verification is None:
        return why
    left = verification.unprojected
    if left is None:
        return f"what was left to project is not known; {why}"
    return f"{left} event(s) never took effect; {why}" if left else ""
