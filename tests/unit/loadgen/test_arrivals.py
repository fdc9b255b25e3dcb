"""When the requests of the open loop are due."""

from __future__ import annotations

from itertools import pairwise, takewhile
from random import Random

import pytest

from services.loadgen.workload.arrivals import due_times


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.5, 300.0, 2500.5])
def test_the_rate_is_exact_to_one_request(rate: float) -> None:
    due = list(takewhile(lambda at: at < 10, due_times(rate, Random(1))))
    assert abs(len(due) - 10 * rate) <= 1
    assert due == sorted(due)


def test_the_same_seed_gives_the_same_moments_and_another_seed_others() -> None:
    first, again, other = (list(takewhile(lambda at: at < 2, due_times(50, Random(seed)))) for seed in (1, 1, 2))
    assert first == again != other


def test_requests_do_not_come_in_step() -> None:
    due = list(takewhile(lambda at: at < 20, due_times(100, Random(1))))
    gaps = [later - earlier for earlier, later in pairwise(due)]
    assert min(gaps) < 0.001
    assert max(gaps) > 0.03
