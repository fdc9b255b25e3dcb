"""The objective: each of its parts fails a trial for its own reason, and a weak generator or a doubt fails nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.answers.capacity.objective import Outcome, judge
from metrics.records.result import Correctness, Generator, Result, Throughput, Visibility
from tests.unit.bench import bundles

SOUND: dict[str, Any] = {
    "generator": Generator(cpu_percent=40, target_rate=300, achieved_rate=299),
    "visibility_ms": Visibility(5, 20, 40, 60, 200),
}


def samples(backlog: list[float], phase: str = "load") -> list[dict[str, Any]]:
    before = [{"t": 990.0 + n, "phase": "warmup", "backlog": 1000.0 * n} for n in range(5)]
    return before + [{"t": 1000.0 + n, "phase": phase, "backlog": value} for n, value in enumerate(backlog)]


STEADY = samples([3, 5, 2, 4, 3, 6, 2, 3])
GROWING = samples([10.0 * n for n in range(8)])


def trial(**changed: Any) -> Result:
    verdict = changed.pop("verdict", "converged")
    why = changed.pop("why", "")
    return replace(bundles.result(verdict=verdict, why=why), **{**SOUND, **changed})


def test_a_sound_trial_holds_without_a_reason() -> None:
    judged = judge(trial(), STEADY, 50)
    assert (judged.outcome, judged.reasons) == ("holds", ())
    assert judged.slope is not None
    assert judged.slope.low <= 0 <= judged.slope.high


@pytest.mark.parametrize(
    ("changed", "outcome", "reason"),
    [
        ({"visibility_ms": Visibility(5, 20, 50.1, 60, 200)}, "fails", "write to visible p99 50.1 ms"),
        ({"visibility_ms": Visibility()}, "fails", "no write was seen"),
        ({"throughput": Throughput(10, 10, 10, 10, 0, 3)}, "fails", "3 requests failed"),
        ({"verdict": "timed_out", "why": "backlog still 7"}, "fails", "timed out: backlog still 7"),
        ({"verdict": "diverged", "why": "1 lost"}, "fails", "diverged: 1 lost"),
        ({"verdict": "blocked", "why": "1 blocked"}, "fails", "blocked: 1 blocked"),
        ({"correctness": Correctness(lost=1)}, "fails", "converged: "),
        ({"verdict": "invalid", "why": "9 of 99 requests failed"}, "fails", "invalid: 9 of 99"),
        (
            {"verdict": "invalid", "why": "missed", "generator": Generator(40, 300, 250)},
            "fails",
            "the API took 250 of 300 requests/s: all VUS=100 users waited",
        ),
        ({"doubts": ["others took 9 %"], "visibility_ms": Visibility()}, "doubtful", "others took 9 %"),
        ({"doubts": ["others took 9 %"], "correctness": Correctness(lost=1)}, "fails", "converged: "),
        ({"generator": Generator(95, 300, 299, saturated=True)}, "unsound", "saturated (CPU 95 % of a core)"),
        ({"verdict": "invalid", "generator": Generator(99, 300, 100, saturated=True)}, "unsound", "saturated"),
        ({"verdict": "invalid", "why": "the API fell", "throughput": Throughput()}, "void", "the API fell"),
    ],
)
def test_each_part_of_the_objective_has_its_reason(changed: dict[str, Any], outcome: Outcome, reason: str) -> None:
    judged = judge(trial(**changed), STEADY, 50)
    assert judged.outcome == outcome
    assert reason in "; ".join(judged.reasons)


def test_a_backlog_that_grows_fails_though_all_is_visible_in_time() -> None:
    judged = judge(trial(), GROWING, 50)
    assert (judged.outcome, judged.reasons) == ("fails", ("the backlog grew by 10 events/s (10 to 10)",))


def test_only_the_load_phase_tells_the_slope() -> None:
    judged = judge(trial(), [*STEADY, *samples([9000.0], "convergence")[5:]], 50)
    assert judged.outcome == "holds"


def test_a_load_phase_without_samples_holds_nothing() -> None:
    judged = judge(trial(), samples([1, 2]), 50)
    assert (judged.outcome, judged.slope) == ("fails", None)


def test_the_bound_itself_holds() -> None:
    assert judge(trial(visibility_ms=Visibility(5, 20, 50.0, 60, 200)), STEADY, 50).outcome == "holds"
