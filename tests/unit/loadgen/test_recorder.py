"""Own histograms, gauges, and the line a second."""

from __future__ import annotations

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from metrics.records.result import Distribution, Lag, Percentiles, Throughput
from services.loadgen.judge.ledger import Counts
from services.loadgen.judge.stats import Stats, parse_stats
from services.loadgen.measure.recorder import Recorder, new_histogram, percentiles, quantile, record
from tests.unit.loadgen.test_stats import DOCUMENT


def test_percentiles_keep_three_digits() -> None:
    histogram = new_histogram()
    for millisecond in range(1, 1001):
        record(histogram, millisecond / 1000)
    found = percentiles(histogram)
    assert (found.p50, found.p95, found.p99, found.max) == pytest.approx((500, 950, 990, 1000), rel=0.001)


def test_no_value_is_dropped_however_extreme() -> None:
    histogram = new_histogram()
    for seconds in (-1.0, 0.0, 1e-9, 1e9):
        record(histogram, seconds)
    assert histogram.get_total_count() == 4


@effort(deadline=None)
@given(st.lists(st.floats(-1, 5000) | st.floats(0, 0.01), max_size=200))
def test_what_is_recorded_a_second_at_a_time_is_what_is_recorded_one_by_one(durations: list[float]) -> None:
    recorder, one_by_one = Recorder(), new_histogram()
    for number, seconds in enumerate(durations):
        recorder.request("action", "ok", seconds, measured=True)
        record(one_by_one, seconds)
        if number % 7 == 0:
            recorder.next_interval(1.0)
        if number % 50 == 0:
            assert recorder.histograms["action"].get_total_count() == number + 1
    at_once = recorder.histograms["action"]
    assert at_once.encode() == one_by_one.encode()
    assert at_once.get_max_value() == one_by_one.get_max_value()
    assert percentiles(at_once) == percentiles(one_by_one)


def test_an_empty_histogram_is_all_zeros() -> None:
    assert percentiles(new_histogram()) == Percentiles()


def test_only_the_measured_phases_count() -> None:
    recorder = Recorder()
    recorder.request("action", "ok", 0.002, measured=False)
    recorder.request("action", "ok", 0.004, measured=True)
    recorder.request("action", "rejected", 0.001, measured=True)
    recorder.request("read", "ok", 0.001, measured=True)
    recorder.request("read", "error", 9.0, measured=True)
    assert recorder.throughput(2.0) == Throughput(1, 0.5, 1, 0.5, rejected=1, errors=1)
    assert recorder.latency().actions.p50 == pytest.approx(4.0, rel=0.001)
    assert recorder.latency().reads.max == pytest.approx(1.0, rel=0.001)


def test_the_interval_starts_afresh() -> None:
    recorder = Recorder()
    for milliseconds in range(1, 101):
        recorder.request("action", "ok", milliseconds / 1000, measured=False)
    recorder.request("read", "error", 1.0, measured=False)
    first, second = recorder.next_interval(2.0), recorder.next_interval(2.0)
    assert (first["actions_per_s"], first["action_p50_ms"], first["action_p99_ms"]) == (50.0, 50.0, 99.0)
    assert (first["errors"], first["read_p50_ms"]) == (1, None)
    assert (second["actions_per_s"], second["action_p50_ms"], second["errors"]) == (0.0, None, 0)


def test_gauges_become_distributions() -> None:
    recorder = Recorder()
    for lag in (4, 1, 3, 2):
        recorder.observe(parse_stats(DOCUMENT), lag)
    assert recorder.distribution("projection_lag", final=0) == Distribution(p50=2, p95=4, max=4, final=0)
    assert recorder.distribution("backlog", final=7) == Distribution(p50=1, p95=1, max=1, final=7)
    assert Recorder().distribution("backlog", final=0) == Distribution()


def test_what_the_target_does_not_tell_is_null_with_a_reason_and_never_zero() -> None:
    recorder, bare = Recorder(), Stats(Counts(1, 1, 1), 1, 0)
    recorder.observe(bare, 0)
    assert recorder.event_id_lag(bare) == Lag(None, None, None, None, why=recorder.event_id_lag(bare).why)
    assert recorder.event_id_lag(bare).why.startswith("not told")
    told = Recorder()
    told.observe(parse_stats(DOCUMENT), 0)
    assert told.event_id_lag(parse_stats(DOCUMENT)) == Lag(2, 2, 2, 2)


@pytest.mark.parametrize(("q", "value"), [(0.0, 1), (0.25, 1), (0.5, 2), (0.51, 3), (1.0, 4)])
def test_quantiles_are_nearest_rank(q: float, value: float) -> None:
    assert quantile([1, 2, 3, 4], q) == value


def test_histograms_can_be_read_back() -> None:
    histogram = new_histogram()
    record(histogram, 0.5)
    again = HdrHistogram.decode(histogram.encode())
    assert again.get_total_count() == 1
