"""Drills made by hand: repetitions, their documents, and a strike that runs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bench.drill import document
from bench.drill.repeated import Drill
from bench.drill.repetition import Repetition
from bench.preflight.settings import Settings
from bench.trial.result import target_of
from metrics.records.answers import drills as records
from metrics.records.answers.drills import Curve
from metrics.records.result import Correctness

CURVE: Curve = {
    "run_id": "run",
    "healed_s": 1.5,
    "t_s": [-1.2, -0.2, 0.8, 1.8, 2.8],
    "actions_per_s": [101.0, 102.0, 0.0, 103.0, 104.0],
    "reads_per_s": [201.0, 202.0, 0.0, 203.0, None],
    "stale_ms": [11.0, 12.0, 913.0, None, 14.0],
}


def repetition(*, hit: bool = True, why_failed: str = "", seed: int = 1, **counts: int) -> Repetition:
    """One that hit, and after which all was right; `counts` are of its proof."""
    return Repetition(
        run_id="run",
        platform="local",
        seed=seed,
        hit=hit,
        verdict="converged",
        correctness=Correctness(events_checked=10, **counts),
        takeover_s=2.5 if hit else None,
        stall_s=1.25 if hit else None,
        visible_p99_ms={"before": 10.0, "during": 30.0, "after": None},
        errors={"503": 4, "refused": 3},
        what="projector-1 was killed",
        why_failed=why_failed,
        curve=CURVE,
    )


def drilled(*runs: Repetition, wanted: int = 1, name: str = "kill-projector") -> records.Drill:
    """A drill of these repetitions, under the settings of a run."""
    told = document.drill(name, Settings.from_env({}), wanted, runs)
    return {**told, "curve": document.curve(runs)}


def built(*drills: records.Drill) -> records.Drills:
    """The document of these drills."""
    return document.build(drills, target_of(Settings.from_env({}).target), took_s=61.0)


class Strikes:
    """Repetitions that hit, unless they are changed; each that was asked for is kept with its number."""

    def __init__(self, change: Callable[[Drill, Repetition], Repetition] = lambda _, found: found) -> None:
        self.struck: list[tuple[Drill, int]] = []
        self.change = change

    def __call__(self, one: Drill, number: int) -> Repetition:
        self.struck.append((one, number))
        return self.change(one, replace(repetition(seed=one.seed + number), run_id=f"run-{len(self.struck)}"))
