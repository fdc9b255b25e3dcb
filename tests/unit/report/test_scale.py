"""Axes: ticks at round numbers within their ends, whatever the values are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.charts.scale import Axis, labelled, linear, logarithmic, short

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (linear(0, 533, zero=True), ["0", "100", "200", "300", "400", "500", "600"]),
        (linear(3, 7, zero=True), ["0", "2", "4", "6", "8"]),
        (linear(0, 0, zero=True), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (linear(0, 34, within=True), ["0", "10", "20", "30"]),
        (linear(0, 12_400, zero=True), ["0", "5,000", "10k", "15k"]),
        (logarithmic([1.3, 18]), ["1", "2", "5", "10", "20"]),
        (logarithmic([0.02, 90_000]), ["0.01", "0.1", "1", "10", "100", "1,000", "10k", "100k"]),
        (logarithmic([0, -1]), ["1", "2"]),
    ],
)
def test_ticks_are_round_and_enclose_what_is_drawn(axis: Axis, expected: list[str]) -> None:
    assert [label for _, label in axis.ticks] == expected


@given(low=NUMBERS, high=NUMBERS, zero=st.booleans(), within=st.booleans())
def test_an_axis_of_any_numbers_places_every_value(low: float, high: float, zero: bool, within: bool) -> None:
    axis = linear(min(low, high), max(low, high), zero=zero, within=within)
    assert all(0 <= axis.place(value) <= 1 for value in (low, high, 0.0, *(tick for tick, _ in axis.ticks)))
    assert len(axis.ticks) < 20


@given(values=st.lists(NUMBERS, max_size=5))
def test_a_logarithmic_axis_of_any_numbers_places_every_value(values: list[float]) -> None:
    axis = logarithmic(values)
    assert axis.low < axis.high
    assert all(0 <= axis.place(value) <= 1 for value in values)
    assert not any(math.isnan(axis.place(value)) for value in values)


def test_a_share_of_a_logarithmic_axis_is_by_factor() -> None:
    axis = labelled(1, 100, [(1, "1"), (100, "100")], log=True)
    assert [axis.place(value) for value in (1, 10, 100)] == [0, 0.5, 1]
    assert axis.place(0) == 0


@pytest.mark.parametrize(
    ("value", "told"), [(0, "0"), (0.25, "0.25"), (1500, "1,500"), (12_000, "12k"), (3.4e6, "3.4M"), (2e9, "2G")]
)
def test_ticks_are_short(value: float, told: str) -> None:
    assert short(value) == told
