"""What looks at a struck system prove: stalls, silences and the way back, and never more than was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from bench.drill.curve import curve, unacknowledged_s
from bench.platforms import http_client
from bench.trial.fault import Evidence, Plan
from bench.trial.injection import inject
from bench.trial.injection.inject import Injection
from bench.trial.injection.looks import Looks, Silence, Stall
from metrics.records.fault import Injected


def stats(projected: int, backlog: int) -> dict[str, Any]:
    return {"totalEventsProjected": projected, "backlog": backlog, "eventCount": projected + backlog}


@pytest.mark.parametrize(
    ("seen", "stall_s"),
    [
        # It went on between any two looks.
        ([(0.0, 1, 5), (0.2, 2, 5), (0.4, 3, 5)], 0.0),
        # From the first look that saw a count to the last one.
        ([(0.0, 1, 5), (0.2, 2, 5), (0.4, 2, 6), (0.9, 2, 7), (1.1, 3, 7)], 0.7),
        # Nothing was left: that is no standstill.
        ([(0.0, 2, 0), (0.5, 2, 0), (1.0, 2, 0)], 0.0),
        ([(0.0, 2, 0), (0.5, 2, 1), (0.9, 2, 3)], 0.4),
        ([(0.0, 2, 1), (0.5, 2, 0), (0.9, 2, 3), (1.0, 2, 3)], 0.1),
        # The longest of two.
        ([(0.0, 1, 5), (1.0, 1, 5), (1.2, 2, 5), (1.6, 2, 5)], 1.0),
        # A reset takes the count back.
        ([(0.0, 9, 5), (0.5, 0, 14), (1.5, 0, 14)], 1.0),
    ],
)
def test_a_stall_is_what_two_looks_at_one_count_prove(seen: list[tuple[float, int, int]], stall_s: float) -> None:
    stall = Stall()
    for at, projected, backlog in seen:
        stall.note(at, stats(projected, backlog))
    assert stall.longest_s == pytest.approx(stall_s)


@pytest.mark.parametrize(
    ("looks", "silence_s"),
    [
        ([(0.0, 0.1, True), (0.3, 0.4, True)], 0.0),
        # A heal that takes its time between two answers is no silence.
        ([(0.0, 0.1, True), (5.0, 5.1, True)], 0.0),
        ([(0.0, 0.1, True), (0.3, 0.4, False), (5.0, 5.1, True)], 5.0),
        # It never came back.
        ([(0.0, 0.1, True), (0.3, 0.4, False), (5.0, 5.1, False)], 5.0),
        # One that was answered late.
        ([(0.0, 0.1, True), (0.3, 2.8, True)], 2.5),
    ],
)
def test_a_silence_is_from_one_answer_to_the_next_with_a_look_in_vain(
    looks: list[tuple[float, float, bool]], silence_s: float
) -> None:
    silence = Silence()
    for asked, at, answered in looks:
        silence.note(asked, at, stats(1, 1) if answered else None)
    assert silence.longest_s == pytest.approx(silence_s)


def test_it_is_right_again_once_as_much_is_projected_as_there_was_after_the_heal() -> None:
    looks = Looks()
    looks.note(0.0, 0.0, stats(5, 5))
    looks.recovery.begin(1.0)
    looks.note(1.2, 1.2, stats(6, 4))
    looks.note(1.4, 1.4, stats(9, 3))
    assert looks.recovery.took_s is None
    looks.note(1.6, 1.6, stats(10, 3))
    assert looks.recovery.took_s == pytest.approx(0.6)


class Fault:
    """Strikes at its second moment, which takes a while, and heals after two looks without an answer."""

    def __init__(self, clock: list[float]) -> None:
        self.clock = clock
        self.moments = 0
        self.silent = 0
        self.healed = 0

    def defaults(self, strategy: str) -> Mapping[str, str]:
        return {}

    def set_up(self, system: Any) -> None:
        pass

    def invoke(self, seen: Mapping[str, Any]) -> bool:
        self.moments += 1
        if self.moments == 2:
            self.clock[0] += 2.0
        return self.moments == 2

    def watch(self, seen: Mapping[str, Any] | None) -> bool:
        self.silent += seen is None
        return self.silent == 2

    def heal(self) -> None:
        self.healed += 1
        self.clock[0] += 1.0

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        return Evidence(hit=True, what="struck")


def test_every_fault_is_told_with_strike_heal_stall_and_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    fault = Fault(clock)
    seen = [stats(1, 1), stats(2, 1), stats(2, 1), None, None, stats(2, 2), stats(4, 0), stats(4, 0)]
    answers: Iterator[Any] = iter(seen)
    monkeypatch.setattr(inject, "load", lambda _: fault)
    monkeypatch.setattr(inject, "time", SimpleNamespace(time=lambda: clock[0]))
    monkeypatch.setattr(http_client, "figures", lambda _: next(answers))
    system: Any = SimpleNamespace(
        base_url="", platform=SimpleNamespace(name="local"), settings=SimpleNamespace(shards=1), shards=()
    )
    injection = Injection(Plan("made-up", after_s=3.0), system)
    injection.tick(100.0, None)
    injection.tick(102.0, 100.0)
    assert fault.moments == 0
    for _ in range(6):
        clock[0] += 1.0
        injection.tick(clock[0] + 3.0, 100.0)
    injected = injection.end({})
    assert injected is not None
    # Struck at the second moment, 102, which took until 104; silent at 105 and 106; healed from 106 to 107.
    assert (injected.invoked_at, injected.healed_at, fault.healed) == (102.0, 107.0, 1)
    assert injected.api_silence_s == pytest.approx(4.0)
    assert injected.projection_stall_s == pytest.approx(6.0)
    assert injected.right_again_s == pytest.approx(3.0)


def sample(t: float, rate: float | None, phase: str = "load", **more: float) -> dict[str, Any]:
    return {"t": t, "phase": phase, "actions_per_s": rate, **more}


@pytest.mark.parametrize(
    ("samples", "quiet_s"),
    [
        ([sample(1, 9), sample(2, 9), sample(3, 9)], 0.0),
        ([sample(1, 9), sample(2, 0), sample(3, 0), sample(4, 9)], 2.0),
        # What was before the strike, or after the load, is none of its price.
        ([sample(0.5, 0), sample(1, 0), sample(2, 9), sample(3, 0, "convergence")], 0.0),
        ([sample(1, 9), sample(2.5, 0)], 1.5),
        # Nobody wrote at all.
        ([sample(1, 0), sample(2, 0)], None),
        ([], None),
    ],
)
def test_a_span_without_an_acknowledged_action_is_counted_by_whole_samples(
    samples: list[dict[str, Any]], quiet_s: float | None
) -> None:
    assert unacknowledged_s(samples, 1.0) == (None if quiet_s is None else pytest.approx(quiet_s))


def test_a_curve_is_of_the_load_phase_and_its_staleness_is_that_of_the_oldest_write() -> None:
    struck = Injected("made-up", "local", "", hit=True, holder="", invoked_at=10.0, healed_at=None)
    samples = [
        sample(8.0, 1, "warmup"),
        sample(9.0, 5.04, visibility_p99_ms=7.0, unseen_age_ms=3.0, reads_per_s=8.0),
        sample(11.0, 0, unseen_age_ms=1003.0),
        sample(12.0, 9, "convergence"),
    ]
    assert curve("run-1", struck, samples) == {
        "run_id": "run-1",
        "healed_s": None,
        "t_s": [-1.0, 1.0],
        "actions_per_s": [5.0, 0],
        "reads_per_s": [8.0, None],
        "stale_ms": [7.0, 1003.0],
    }
    assert curve("run-1", struck, samples[:1]) is None
