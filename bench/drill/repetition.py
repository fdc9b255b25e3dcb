"""One repetition of a drill: a run with its fault, and what the drill takes from the bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.bundle.samples import Samples
from metrics.reading import read_optional
from metrics.records.fault import Injected
from metrics.records.result import Correctness, Result, Verdict
from metrics.records.verification import Verification

COUNTED: Final = ("lost", "duplicated", "reordered", "phantom", "mismatched_rows", "acknowledged_missing")


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
    errors: int
    what: str
    why_failed: str
    target: str = ""
    none_within_s: float | None = None
    right_again_s: float | None = None
    not_told: Sequence[str] = ()

    @classmethod
    def read(cls, folder: Path, result: Result, seed: int) -> Repetition:
        """Take it from a run's bundle and its result."""
        fault = read_optional(folder / "fault.json", Injected)
        verification = read_optional(folder / "verification.json", Verification)
        return cls(
            run_id=folder.name,
            target=result.target["name"],
            platform=fault.platform if fault else "",
            seed=seed,
            hit=fault is not None and fault.hit and _concluded(result),
            verdict=result.verdict,
            correctness=result.correctness,
            takeover_s=fault.takeover.takeover_s if fault else None,
            none_within_s=fault.takeover.none_within_s if fault else None,
            right_again_s=fault.right_again_s if fault else None,
            not_told=fault.takeover.not_told if fault else (),
            visible_p99_ms=_around(fault, Samples(folder / "samples.jsonl").new()),
            errors=result.throughput.errors,
            what=fault.what if fault else "the run ended before the fault",
            why_failed=judge(result.verdict, result.why, result.correctness, verification),
        )


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


def _around(fault: Injected | None, samples: Iterable[Mapping[str, Any]]) -> dict[str, float | None]:
    """The worst second's p99 of write to visible in the load phase: before the strike, until it healed, and after."""
    spans: dict[str, list[float]] = {"before": [], "during": [], "after": []}
    if fault is not None:
        begun, healed = fault.invoked_at, fault.healed_at or fault.invoked_at
        for sample in samples:
            if sample["phase"] == "load" and (p99 := sample.get("visibility_p99_ms")) is not None:
                name = "before" if sample["t"] < begun else "during" if sample["t"] <= healed + 1 else "after"
                spans[name].append(p99)
    return {name: max(values, default=None) for name, values in spans.items()}
