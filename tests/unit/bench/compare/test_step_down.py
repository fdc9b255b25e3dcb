"""The test of a whole table: p-values that can be counted by hand, and what several metrics cost."""

from __future__ import annotations

import math

import pytest

from bench.compare.statistics.step_down import DRAWN, Logs, adjusted


def pairs(*ratios: float) -> list[Logs]:
    """Pairs of a base that does not move, with these log ratios."""
    return [(0.0, ratio) for ratio in ratios]


def test_of_five_pairs_that_point_one_way_no_p_value_is_below_one_of_sixteen() -> None:
    assert adjusted({"a": pairs(1.0, 1.1, 0.9, 1.0, 1.05)}, "") == {"a": 1 / 16}


def test_of_two_pairs_it_is_counted_by_hand() -> None:
    # As measured the steps are 0 and 2, the mean 2: 2 / sqrt(2). One pair turned: steps 1 and 3, mean 1: 1 / sqrt(5).
    assert adjusted({"a": pairs(1.0, 3.0)}, "") == {"a": 1 / 2}
    assert adjusted({"a": pairs(1.0, -3.0)}, "") == {"a": 1.0}


def test_six_pairs_halve_it_and_a_sure_difference_has_it() -> None:
    assert adjusted({"a": pairs(*[1.0 + n / 100 for n in range(6)])}, "") == {"a": 1 / 32}


def test_a_metric_that_nothing_moves_has_no_part_in_it() -> None:
    found = adjusted({"moved": pairs(1.0, 1.1, 0.9, 1.0, 1.05), "same": pairs(0, 0, 0, 0, 0)}, "")
    assert found == {"moved": 1 / 16, "same": 1.0}


def test_a_metric_beside_others_has_to_beat_them_all() -> None:
    """Alone it has p = 1/16. Beside one that differs as much when pairs are turned, it has the p-value of both."""
    weak = pairs(0.3, 0.9, 0.1, 0.6, 0.2)
    turned = pairs(1.0, -1.1, 0.9, -1.0, 1.05)
    alone = adjusted({"weak": weak}, "")["weak"]
    assert alone == 1 / 16
    together = adjusted({"weak": weak, "turned": turned}, "")
    assert together["weak"] == 2 / 16
    assert together["turned"] >= together["weak"]


def test_what_is_sure_is_taken_out_before_the_rest_is_judged() -> None:
    """Step-down: the surer metric's own turned pairs are no reason to doubt the other one."""
    sure, other = pairs(5.0, 5.1, 4.9, 5.0, 5.05), pairs(1.0, 1.2, 0.8, 1.0, 1.1)
    assert adjusted({"sure": sure, "other": other}, "") == {"sure": 1 / 16, "other": 1 / 16}


def test_a_pair_without_a_value_is_left_out_of_its_metric_alone() -> None:
    gap: list[Logs] = [*pairs(1.0, 1.1, 0.9, 1.0, 1.05), (None, None)]
    full = pairs(1.0, 1.1, 0.9, 1.0, 1.05, 1.0)
    assert adjusted({"full": full, "gap": gap}, "")["full"] == 1 / 32
    # Whether the missing pair is turned changes nothing, so each pattern counts twice.
    assert adjusted({"gap": gap}, "") == {"gap": 1 / 16}


def test_of_many_pairs_patterns_are_drawn_and_a_seed_repeats_them() -> None:
    noisy = pairs(*[math.sin(n) + 0.2 for n in range(30)])
    found = adjusted({"a": noisy}, "seed")
    assert found == adjusted({"a": noisy}, "seed")
    assert adjusted({"a": pairs(*[1 + n / 100 for n in range(30)])}, "seed") == {"a": 1 / DRAWN}


def test_no_metric_no_p_value() -> None:
    assert adjusted({}, "") == {}


@pytest.mark.parametrize("values", [3, 5])
def test_no_spread_at_all_is_as_sure_as_so_many_pairs_can_be(values: int) -> None:
    assert adjusted({"a": pairs(*[0.5] * values)}, "") == {"a": 2 / 2**values}
