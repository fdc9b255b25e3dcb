"""Delays are recorded by the bucket, and make the histogram that one by one makes."""

from __future__ import annotations

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from bench.oracle import delays
from bench.oracle.delays import LONGEST_US, Delays

SOME = st.lists(st.integers(-5, 5) | st.integers(0, 10**7) | st.integers(LONGEST_US - 10**7, LONGEST_US * 2))


@given(SOME, SOME)
def test_it_is_the_histogram_of_each_value_by_itself(first: list[int], second: list[int]) -> None:
    wanted, taken = HdrHistogram(1, LONGEST_US, 3), Delays()
    for value in [*first, *second]:
        wanted.record_value(min(max(value, 1), LONGEST_US))
    taken.add(first)
    taken.histogram()
    taken.add(second)
    found = taken.histogram()
    assert found.encode() == wanted.encode()
    assert (found.get_max_value(), found.get_min_value()) == (wanted.get_max_value(), wanted.get_min_value())


def test_what_is_pending_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delays, "PENDING", 3)
    taken = Delays()
    for value in range(10):
        taken.add([value])
        assert len(taken.pending) < 3
    assert taken.histogram().get_total_count() == 10
