"""When the next batch may begin."""

from __future__ import annotations

import pytest

from eventstore.connection.rate_limit import BURST, RateLimit


def starts(rate_limit: RateLimit, *wanted: float) -> list[float]:
    """When batches begin that want to at these times."""
    begun: list[float] = []
    for at in wanted:
        now = max([at, *begun[-1:]])
        now += rate_limit.wait(now)
        rate_limit.began(now)
        begun.append(now)
    return begun


def test_after_a_quiet_time_nothing_waits() -> None:
    rate_limit = RateLimit(1.0)
    assert starts(rate_limit, *[100.0] * BURST) == [100.0] * BURST
    assert starts(rate_limit, *[200.0] * BURST) == [200.0] * BURST


def test_without_pause_batches_are_a_gap_apart() -> None:
    begun = starts(RateLimit(1.0), *[100.0] * 50)
    assert begun[BURST:] == pytest.approx([101.0 + n for n in range(50 - BURST)])


def test_batches_that_are_further_apart_never_wait() -> None:
    wanted = [100.0 + 1.5 * n for n in range(50)]
    assert starts(RateLimit(1.0), *wanted) == wanted


def test_a_burst_of_one_is_a_gap_after_each() -> None:
    assert starts(RateLimit(1.0, 1), *[100.0] * 3) == [100.0, 101.0, 102.0]


def test_without_a_gap_nothing_waits() -> None:
    assert starts(RateLimit(0.0), *[100.0] * 50) == [100.0] * 50
