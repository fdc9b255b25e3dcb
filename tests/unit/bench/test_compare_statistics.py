"""The statistics of a comparison: what they say of known values, and when they say nothing."""

from __future__ import annotations

from random import Random

import pytest

from bench.compare.statistics import Bound, Value, contrast, median, noise_floor


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
    ],
)
def test_the_median_is_a_lower_bound_where_a_cut_off_value_could_move_it(values: list[Value], expected: Value) -> None:
    assert median(values) == expected


def test_a_difference_beyond_noise_is_told_with_ratio_and_interval() -> None:
    found = contrast(exact(10, 11, 10.5), exact(40, 42, 41), "seed")
    assert (found.answer, found.because, found.bound) == ("higher", "", "exact")
    assert found.ratio == pytest.approx(41 / 10.5)
    assert found.low is not None
    assert found.high is not None
    assert 40 / 11 <= found.low <= 41 / 10.5 <= found.high <= 42 / 10
    assert found.noise_floor == pytest.approx(10.75 / 10)


@pytest.mark.parametrize(("mean", "least", "most"), [(100, 0, 16), (130, 190, 200)])
def test_chance_is_seldom_taken_for_a_difference_and_a_difference_seldom_for_chance(
    mean: float, least: int, most: int
) -> None:
    random, told = Random(5), 0
    for number in range(200):
        base, arm = ([Value(random.gauss(m, 5)) for _ in range(3)] for m in (100, mean))
        told += contrast(base, arm, str(number)).answer != "no verdict"
    assert least <= told <= most


def test_a_difference_under_the_noise_floor_gets_no_verdict() -> None:
    found = contrast(exact(100, 100, 130), exact(120, 120, 120), "seed")
    assert (found.answer, found.because) == ("no verdict", "trials of the same arm differ by up to 30 %")


def test_trials_that_contradict_each_other_get_no_verdict() -> None:
    found = contrast(exact(100, 101, 102, 100, 101, 200), exact(150, 151, 60, 149, 150, 151), "seed")
    assert found.ratio == pytest.approx(150 / 101)
    assert found.answer == "no verdict"


@pytest.mark.parametrize(
    ("base", "arm", "because"),
    [
        ([], exact(1), "no sound trial"),
        (exact(1), [], "no sound trial"),
        (exact(0, 1), exact(1, 1), "in a trial it was zero"),
        (exact(1, 1), exact(2, 2, 2), "noise is not known"),
        ([Value(60, "at_least")], [Value(60, "at_least")], "both were cut off"),
    ],
)
def test_what_can_not_be_known_gets_no_verdict(base: list[Value], arm: list[Value], because: str) -> None:
    found = contrast(base, arm, "seed")
    assert found.answer == "no verdict"
    assert because in found.because


def cut(*values: float) -> list[Value]:
    return [Value(value, "at_least") for value in values]


@pytest.mark.parametrize(
    ("base", "arm", "bound", "answer", "open_end"),
    [
        (cut(60, 60, 61), exact(1, 1.1, 1.2), "at_most", "lower", "low"),
        (exact(1, 1.1, 1.2), cut(60, 60, 61), "at_least", "higher", "high"),
        # At most six times as long says nothing of being longer, at least a sixth nothing of being shorter.
        (cut(10, 10, 10), exact(60, 61, 62), "at_most", "no verdict", "low"),
        (exact(60, 61, 62), cut(10, 10, 10), "at_least", "no verdict", "high"),
    ],
)
def test_a_bound_decides_only_on_its_own_side(
    base: list[Value], arm: list[Value], bound: Bound, answer: str, open_end: str
) -> None:
    found = contrast(base, arm, "seed")
    assert (found.bound, found.answer) == (bound, answer)
    assert getattr(found, open_end) is None


def test_the_noise_floor_is_the_largest_ratio_between_halves_of_one_arm() -> None:
    assert noise_floor([10, 20], [5, 5]) == pytest.approx(2)
    assert noise_floor([1, 2, 4], [7]) == pytest.approx(3)  # 1 against the median of 2 and 4
    assert noise_floor([1], [9]) is None
    assert noise_floor([float(n) for n in range(1, 31)]) == noise_floor([float(n) for n in range(1, 31)])


def test_a_seed_repeats_the_interval() -> None:
    base, arm = exact(10, 12, 14), exact(11, 15, 13)
    assert contrast(base, arm, "a") == contrast(base, arm, "a")
