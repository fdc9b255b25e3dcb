"""The row of many projectors: the fastest number, beyond which more hurt."""

from __future__ import annotations

import pytest

from bench.perf import rows
from bench.perf.rows.projectors_1_to_16 import BEST, best


@pytest.mark.parametrize(
    ("rates", "fastest"),
    [
        ({2: 20.0, 4: 40.0, 8: 35.0, 16: 30.0}, 4),
        ({2: 20.0, 4: 40.0, 8: 80.0, 16: 160.0}, 16),
        ({2: 20.0, 4: 10.0, 8: 10.0, 16: 10.0}, 2),
    ],
)
def test_the_number_beyond_which_more_hurt_is_told_with_all_rates(rates: dict[int, float], fastest: int) -> None:
    reading = best(rates)
    assert (reading.value, reading.figures[BEST]) == (rates[fastest], fastest)
    assert {name: value for name, value in reading.figures.items() if name != BEST} == {
        f"{count} projectors": rate for count, rate in rates.items()
    }


def test_the_row_runs_only_when_it_is_asked_for() -> None:
    assert rows.load()["projectors_1_to_16"].long
