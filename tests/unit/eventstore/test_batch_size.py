"""The size of batches under a limit: it is found by halves, kept, and tried again rarely."""

from __future__ import annotations

import pytest

from eventstore.connection.batch_size import FIRST_FULL, MOST_FULL, BatchSize


def play(size: BatchSize, limit: int, batches: int) -> int:
    """Full batches against a limit; returns how many met it."""
    met = 0
    for _ in range(batches):
        if size.now > limit:
            met += 1
            size.halve(size.now)
        else:
            size.fitted(size.now)
    return met


def test_without_a_limit_it_stays_at_most() -> None:
    size = BatchSize(1000)
    assert play(size, 1000, 1000) == 0
    assert size.now == 1000


@pytest.mark.parametrize("limit", [1, 2, 7, 100, 333, 999])
def test_it_fits_by_halves_and_meets_the_limit_rarely_afterwards(limit: int) -> None:
    size = BatchSize(1000)
    searched = play(size, limit, 10)
    assert searched <= 10
    play(size, limit, 1000)

    assert play(size, limit, 10_000) <= 10_000 / MOST_FULL + 1


@pytest.mark.parametrize("limit", [1, 100])
def test_when_the_limit_is_gone_it_is_what_it_was(limit: int) -> None:
    size = BatchSize(1000)
    play(size, limit, 20)
    play(size, 1000, 30 * FIRST_FULL)
    assert size.now == 1000


def test_batches_that_are_not_full_say_nothing() -> None:
    size = BatchSize(1000)
    size.halve(1000)
    for _ in range(100):
        size.fitted(499)
    assert size.now == 500


def test_where_one_does_not_fit_it_is_no_matter_of_size() -> None:
    size = BatchSize(1000)
    assert not size.halve(1)
    assert size.now == 1000

    play(size, 0, 20)
    assert not size.halve(1)
    assert size.now == 1
    play(size, 1000, 30 * FIRST_FULL)
    assert size.now == 1000


def test_two_statements_that_met_it_side_by_side_halve_it_once() -> None:
    size = BatchSize(1000)
    assert size.halve(1000)
    assert size.halve(1000)
    assert size.now == 500
