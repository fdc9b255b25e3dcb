"""The slope of a backlog: right on a line, and honest about a series that remembers itself."""

from __future__ import annotations

from random import Random
from statistics import mean

import pytest

from bench.answers.capacity.slope import slope


def remembering(random: Random, length: int, memory: float, grows: float = 0.0) -> list[tuple[float, float]]:
    """An autoregressive series around a line, one value a second."""
    value, points = 0.0, []
    for _ in range(100):
        value = memory * value + random.gauss(0, 10)
    for second in range(length):
        value = memory * value + random.gauss(0, 10)
        points.append((float(second), 100 + grows * second + value))
    return points


def least_squares_says_it_grows(points: list[tuple[float, float]]) -> bool:
    """The lower end of the usual interval, which takes the residuals for independent, with 1.96 for its quantile."""
    middle_x, middle_y = mean(x for x, _ in points), mean(y for _, y in points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    found = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    rest = sum((y - middle_y - found * (x - middle_x)) ** 2 for x, y in points) / (len(points) - 2)
    return bool(found - 1.96 * (rest / spread) ** 0.5 > 0)


@pytest.mark.parametrize("length", [4, 7, 8, 10, 31])
def test_a_line_has_its_slope_and_no_width(length: int) -> None:
    found = slope([(1000.0 + second, 5.0 + 2.5 * second) for second in range(length)])
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((2.5, 2.5, 2.5))


@pytest.mark.parametrize("length", [0, 1, 3])
def test_of_a_few_points_nothing_is_said(length: int) -> None:
    assert slope([(float(second), 0.0) for second in range(length)]) is None


def test_samples_at_one_moment_have_no_slope() -> None:
    found = slope([(1.0, float(value)) for value in range(8)])
    assert found is not None
    assert found.value == 0


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("length", [8, 10, 30])
def test_a_series_that_does_not_grow_is_seldom_said_to_grow(memory: float, length: int) -> None:
    random, said, runs = Random(f"{memory}/{length}"), 0, 500
    for _ in range(runs):
        found = slope(remembering(random, length, memory))
        assert found is not None
        said += found.low > 0
    # One end of a two-sided interval of 95 %: 2.5 %, and chance in so many runs.
    assert said / runs < 0.05


def test_the_usual_interval_would_say_so_all_the_time() -> None:
    random, runs = Random(3), 300
    said = sum(least_squares_says_it_grows(remembering(random, 30, 0.9)) for _ in range(runs))
    assert said / runs > 0.15


def test_a_series_that_grows_is_found() -> None:
    random, runs = Random(5), 200
    found = [slope(remembering(random, 10, 0.5, grows=60.0)) for _ in range(runs)]
    assert sum(each is not None and each.low > 0 for each in found) / runs > 0.95
    assert mean(each.value for each in found if each is not None) == pytest.approx(60, rel=0.05)


def test_a_step_between_blocks_is_no_gap() -> None:
    found = slope([(float(second), 0.0 if second < 4 else 800.0) for second in range(8)])
    assert found is not None
    assert found.value > 50
