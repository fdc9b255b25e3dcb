"""From samples and results to points."""

from __future__ import annotations

from typing import Any

import pytest

from metrics.catalogue import CATALOGUE, POINTS_MS, RESULT
from metrics.points import RunTags
from metrics.records.result import Correctness, Distribution, Generator, Latency, Throughput, Visibility
from metrics.records.sections.convergence import Convergence
from metrics.records.sections.staleness import Ranks, Staleness, Waiting, Waterfall
from metrics.sinks import UnknownMetric

TAGS = RunTags("r", "serial", "global-order", "reads", "crud")
OWN = {"run": "r", "mode": "serial", "strategy": "global-order", "scenario": "reads", "target": "crud"}
CONDITIONS = {"projectors": 2.0, "handler_latency_ms": 5.0}
SAMPLE = {"t": 5.0, "elapsed_s": 1.0, "phase": "load", "users": 3, "backlog": 0, "projection_lag": None}

STALENESS = Staleness(
    curve=[(t, t / 1000) for t in POINTS_MS],
    read_your_writes=0.25,
    monotonic_violations=0,
    waiting=Waiting(extra_p50_ms=2.0, extra_p99_ms=3.0),
)
RANKS = Ranks(1.0, 2.0, 3.0)
WATERFALL = Waterfall(RANKS, RANKS, RANKS, RANKS)


def document(verdict: str = "converged", **faults: int) -> dict[str, Any]:
    return {
        "verdict": verdict,
        "why": "because\n of  this " + "x" * 1000,
        "throughput": Throughput(actions=4, actions_per_s=2.0).to_dict(),
        "latency_ms": Latency().to_dict(),
        "projection_lag": Distribution(final=1).to_dict(),
        "event_id_lag": Distribution(final=2).to_dict(),
        "backlog": Distribution(max=9, final=3).to_dict(),
        "visibility_ms": Visibility(p50=1.5).to_dict(),
        "staleness": STALENESS.to_dict(),
        "waterfall_ms": WATERFALL.to_dict(),
        "convergence": Convergence(0.5, 10.0, 5).to_dict(),
        "correctness": Correctness(events_checked=7, **faults).to_dict(),
        "generator": Generator(cpu_percent=12.5, saturated=True, dropped_points=2, cpu_us_per_request=48.0).to_dict(),
    }


def test_a_sample_becomes_a_point_for_each_measurement_that_it_has_values_of() -> None:
    found = {point.measurement: point for point in TAGS.sample(SAMPLE, {})}
    assert found.keys() == {"load", "projection", "visibility"}
    assert found["load"].tags == {**OWN, "phase": "load"}
    assert found["load"].fields == {"elapsed_s": 1.0, "users": 3.0}
    # Nothing known is nothing written, which is not zero.
    assert found["projection"].fields == {"elapsed_s": 1.0, "backlog": 0.0}
    assert found["load"].at == 5.0
    assert all(isinstance(value, float) for point in found.values() for value in point.fields.values())


def test_details_become_points_with_tags_of_their_own() -> None:
    details = {
        "endpoints": [{"endpoint": "GET /todos", "requests": 2}],
        "failures": [{"endpoint": "GET /todos", "reason": "no answer", "failures": 1}],
        "projectors": [{"projector": "p1", "leases_held": 4}],
    }
    points = [(p.measurement, p.tags, p.fields) for p in TAGS.sample(SAMPLE, details)][-3:]
    own = {**OWN, "phase": "load"}
    assert points == [
        ("endpoint", {**own, "endpoint": "GET /todos"}, {"requests": 2.0}),
        ("failure", {**own, "endpoint": "GET /todos", "reason": "no answer"}, {"failures": 1.0}),
        ("projector", {**own, "projector": "p1"}, {"leases_held": 4.0}),
    ]


def test_a_detail_outside_the_catalogue_is_named() -> None:
    with pytest.raises(UnknownMetric, match="requsts"):
        TAGS.sample(SAMPLE, {"endpoints": [{"endpoint": "GET /todos", "requsts": 2}]})


def test_a_sound_result_has_every_metric() -> None:
    point = TAGS.result(document(), CONDITIONS, 10.0, 20.0)
    assert point.fields.keys() == RESULT.names
    assert (point.at, point.tags) == (20.0, OWN)
    assert {name: point.fields[name] for name in CONDITIONS} == CONDITIONS
    assert (point.fields["converged"], point.fields["saturated"], point.fields["max_backlog"]) == (1.0, 1.0, 9.0)
    assert (point.fields["shown_after_500_ms"], point.fields["monotonic_violations"]) == (0.5, 0.0)
    assert (point.fields["waiting_extra_p99_ms"], point.fields["committed_to_read_p50_ms"]) == (3.0, 1.0)
    why = point.fields["why"]
    assert isinstance(why, str)
    assert why.startswith("because of this x")
    assert len(why) == 300


@pytest.mark.parametrize("told", [document("timed_out"), document(lost=1)])
def test_a_result_that_is_no_proof_has_no_figures(told: dict[str, Any]) -> None:
    fields = TAGS.result(told, CONDITIONS, 10.0, 20.0).fields
    assert {name: fields[name] for name in CONDITIONS} == CONDITIONS
    assert fields["converged"] == 0.0
    assert fields["final_backlog"] == 3.0
    assert not fields.keys() & {"actions_per_s", "convergence_time_s", "action_p99_ms", "max_backlog"}


def test_a_run_that_kept_up_has_no_speed_rather_than_none_at_all() -> None:
    kept_up = {**document(), "convergence": Convergence(0.0, None, 0).to_dict()}
    fields = TAGS.result(kept_up, CONDITIONS, 10.0, 20.0).fields
    assert "convergence_speed_events_per_s" not in fields
    assert (fields["convergence_time_s"], fields["convergence_events"]) == (0.0, 0.0)


def test_a_phase_that_lasts_ends_where_it_began() -> None:
    point = TAGS.phase("load", 7.0, None)
    assert (point.fields, point.at) == ({"text": "load, global-order", "ended_at_ms": 7000.0}, 7.0)
    assert point.tags["phase"] == "load"
    assert point.measurement in CATALOGUE
