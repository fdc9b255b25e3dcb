"""The figures of staleness: what an interval-censored write says of a moment, and what it does not."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from metrics.catalogue import POINTS_MS
from metrics.records.sections.staleness import Staleness
from services.loadgen.measure.staleness import Curve, Reads, StalenessFigures


def at(points: Iterable[tuple[float, ...]], ms: float) -> list[float]:
    """What the curve says there."""
    return next(values for t, *values in points if t == ms)


def test_bounds_hold_whatever_lies_within_an_interval() -> None:
    """The later end taken as exact would say that no read 10 ms after the write shows it: nobody knows that."""
    curve = Curve()
    for _ in range(4):
        curve.seen(0.004, 0.020)
    assert at(curve.bounds(), 2) == [0.0, 0.0]
    assert at(curve.bounds(), 5) == [0.0, 1.0]
    assert at(curve.bounds(), 10) == [0.0, 1.0]
    assert at(curve.bounds(), 20) == [1.0, 1.0]


def test_a_write_is_spread_evenly_over_its_interval() -> None:
    curve = Curve()
    curve.seen(0.005, 0.015)
    assert at(curve.points(), 5) == [0.0]
    assert at(curve.points(), 10) == [0.5]
    assert at(curve.points(), 20) == [1.0]


def test_the_curve_lies_between_its_bounds_and_never_falls() -> None:
    curve = Curve()
    for n in range(1, 400):
        lower = n * 0.0007
        curve.seen(lower, lower + 0.002 + 0.2 * lower)
    points = [chance for _, chance in curve.points()]
    assert points == sorted(points)
    for chance, (_, least, most) in zip(points, curve.bounds(), strict=True):
        assert least <= chance <= most
    assert [t for t, _ in curve.points()] == list(POINTS_MS)


def test_a_write_that_was_never_seen_counts_against_every_moment() -> None:
    curve = Curve()
    for _ in range(3):
        curve.seen(0.0, 0.001)
    curve.not_seen(0.050)
    assert at(curve.points(), 1000) == [0.75]
    assert at(curve.bounds(), 1000) == [0.75, 1.0]
    assert at(curve.bounds(), 20) == [0.75, 0.75]
    within = curve.within()
    assert within.p50 == pytest.approx(1.0, rel=0.01)
    assert (within.p95, within.p99) == (None, None), "one in four was never seen: no wait is known that suffices"


def test_the_resolution_that_was_reached_is_told() -> None:
    curve = Curve()
    assert curve.widths().p50 is None
    curve.not_seen(0.5)
    assert curve.widths().p50 is None
    for _ in range(9):
        curve.seen(0.010, 0.013)
    assert curve.widths().p99 == pytest.approx(3.0, rel=0.01)


def test_the_wait_that_suffices_is_the_later_end() -> None:
    curve = Curve()
    for n in range(100):
        curve.seen(0.0, (n + 1) / 1000)
    within = curve.within()
    assert (within.p50, within.p95, within.p99) == pytest.approx((50, 95, 99), rel=0.01)


def test_shares_and_price_of_waiting() -> None:
    figures = StalenessFigures()
    figures.curve.seen(0.0, 0.001)
    for n in range(100):
        figures.first.note(seen=n % 4 == 0, seconds=0.002)
        figures.waiting.note(seen=True, seconds=0.006)
    section = figures.section(connections=8)
    assert section.read_your_writes == 0.25
    assert (section.waiting.seen, section.waiting.plain_seen) == (1.0, 0.25)
    assert section.waiting.extra_p50_ms == pytest.approx(4.0, rel=0.01)
    assert section.monotonic_violations is None, "nobody looked"
    assert Staleness.from_dict(section.to_dict()) == section


def test_nothing_is_told_where_nothing_was_written() -> None:
    section = StalenessFigures().section()
    assert (section.curve, section.read_your_writes, section.monotonic_violations) == ([], None, None)
    assert section.why == "the probe wrote nothing in the load phase"
    assert Reads().share is None
