"""The exact interval: by hand where it can be counted, and how often it holds the truth."""

from __future__ import annotations

from random import Random

import pytest

from bench.compare.statistics.interval import ALL_UP_TO, DRAWN, interval


def test_of_five_values_it_reaches_from_the_least_to_the_largest_and_misses_in_one_of_sixteen() -> None:
    found = interval([3.0, 1.0, 9.0, 4.0, 2.0], "")
    assert found is not None
    assert (found.low, found.high, found.covered) == (1.0, 9.0, 1 - 2 / 32)


@pytest.mark.parametrize(("values", "covered"), [([1.0, 2.0], 0.5), ([1.0, 2.0, 3.0], 0.75), ([1.0] * 4, 0.875)])
def test_fewer_values_cover_less_and_say_so(values: list[float], covered: float) -> None:
    found = interval(values, "")
    assert found is not None
    assert (found.low, found.high, found.covered) == (min(values), max(values), covered)


def test_one_value_bounds_nothing() -> None:
    assert interval([1.0], "") is None


def test_of_seven_values_it_ends_at_the_third_mean_of_a_subset() -> None:
    # The smallest means: {0}, {0, 1}, {1}. The largest: {64}, {64, 32}, {64, 16}. Three of 128 at each end.
    found = interval([0.0, 1.0, 4.0, 8.0, 16.0, 32.0, 64.0], "")
    assert found is not None
    assert found.low == 1.0
    assert found.high == (64 + 16) / 2
    assert found.covered == 1 - 6 / 128


@pytest.mark.parametrize("values", [5, 6, 8, ALL_UP_TO + 2])
def test_it_holds_the_truth_as_often_as_it_says_of_skewed_noise_that_is_turned_by_lot(values: int) -> None:
    random, held, expected, sittings = Random(values), 0, 0.0, 400 if values <= 8 else 40
    for number in range(sittings):
        # What a pair's order adds is drawn by lot; its size is anything but normal, and grows over the sitting.
        drawn = [1.0 + random.choice((-1, 1)) * random.expovariate(1) ** 2 * (1 + place) for place in range(values)]
        found = interval(drawn, str(number))
        assert found is not None
        held, expected = held + (found.low <= 1.0 <= found.high), found.covered
    assert held / sittings == pytest.approx(expected, abs=3.5 * (expected * (1 - expected) / sittings) ** 0.5)


def test_of_many_values_some_subsets_are_drawn_and_a_seed_repeats_them() -> None:
    values = [float(n % 7) for n in range(40)]
    assert interval(values, "a") == interval(values, "a")
    found = interval(values, "a")
    assert found is not None
    assert found.covered == pytest.approx(1 - 2 * 250 / (DRAWN + 1))
    assert 2 < found.low < 3 < found.high < 4
