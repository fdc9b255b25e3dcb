"""Pairs: the ratio of each, their median, and the noise that trials of one arm tell."""

from __future__ import annotations

import math

import pytest

from bench.compare.statistics.pairs import Bound, Pair, Value, median, noise_floor, percent, resolved


def exact(*values: float) -> list[Value]:
    return [Value(value) for value in values]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (exact(3, 1, 2), Value(2)),
        (exact(1, 2), Value(1.5)),
        ([Value(1), Value(2), Value(9, "at_least")], Value(2)),
        ([Value(1), Value(5, "at_least"), Value(9)], Value(5, "at_least")),
        # Cut off below the middle, it may truly lie above it: then the median is larger.
        ([Value(1, "at_least"), Value(5), Value(9)], Value(5, "at_least")),
        ([Value(1), Value(9, "at_least")], Value(5, "at_least")),
        ([Value(1, "at_most"), Value(2), Value(9)], Value(2)),
        ([Value(1), Value(2), Value(9, "at_most")], Value(2, "at_most")),
    ],
)
def test_the_median_is_a_bound_where_a_cut_off_value_could_move_it(values: list[Value], expected: Value) -> None:
    assert median(values) == expected


@pytest.mark.parametrize(
    ("base", "arm", "ratio"),
    [
        (Value(10), Value(12), Value(1.2)),
        (Value(60, "at_least"), Value(6), Value(0.1, "at_most")),
        (Value(6), Value(60, "at_least"), Value(10, "at_least")),
        (Value(60, "at_least"), Value(60, "at_least"), None),
        (None, Value(1), None),
        (Value(1), None, None),
    ],
)
def test_a_pair_has_one_ratio_or_none(base: Value | None, arm: Value | None, ratio: Value | None) -> None:
    assert Pair(base, arm).ratio == ratio


def bounds(*pairs: tuple[float, float], cut: Bound = "exact") -> list[Pair]:
    return [Pair(Value(base, cut), Value(arm)) for base, arm in pairs]


def test_the_noise_floor_is_twice_the_size_of_the_steps_within_the_arms() -> None:
    # Base up by e, arm not at all: the root mean square of 1 and 0 is 0.707.
    assert noise_floor(bounds((1, 5), (math.e, 5))) == pytest.approx(math.exp(2 * math.sqrt(0.5)))
    assert noise_floor(bounds((7, 3), (7, 3), (7, 3))) == pytest.approx(1.002)
    assert noise_floor(bounds((1, 9))) is None


def test_what_drifts_over_a_sitting_is_no_noise_and_a_value_that_was_cut_off_tells_none() -> None:
    drifting = [(1.01**n, 1.01**n) for n in range(40)]
    assert noise_floor(bounds(*drifting)) == pytest.approx(1.01**2)
    assert noise_floor(bounds((60, 5), (60, 5 * math.e), cut="at_least")) == pytest.approx(math.exp(2))


def test_the_noise_floor_is_no_less_than_what_the_figures_can_tell_apart() -> None:
    coarse = [Pair(Value(10, resolution=1), Value(20, resolution=1))] * 5
    assert noise_floor(coarse) == resolved(coarse) == pytest.approx(1.2)
    assert resolved([Pair(Value(60, "at_least", resolution=50), Value(5))]) == pytest.approx(1.002)
    noisy = bounds((1, 5), (math.e, 5))
    assert noise_floor(noisy) == pytest.approx(math.exp(2 * math.sqrt(0.5)))


@pytest.mark.parametrize(
    ("ratio", "told"), [(1.012, "1.2 %"), (1.2, "20 %"), (1 / 1.2, "20 %"), (2.5, "2.5 times"), (30, "30 times")]
)
def test_a_ratio_is_told_by_its_distance_from_one(ratio: float, told: str) -> None:
    assert percent(ratio) == told
