"""How often a whole table says something where nothing differs, and how often it finds 20 %: by simulation, seeded.

The noise is `sittings.SPREADS`; docs/method.md has the figures of longer simulations (`python -m
tests.unit.bench.compare.test_error_rate`).
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final

import pytest

from bench.compare.statistics.contrast import Terms, contrasts
from tests.unit.bench.compare.sittings import SPREADS, Noise, Order, sitting

SITTINGS: Final = 300
DRIFTING: Final = Noise(drift=0.5)
SHOCKED: Final = Noise(shock=0.1)
SLOW_HANDLER: Final = {"convergence": 1.2, "speed": 1 / 1.2}
SLOW_APPEND: Final = {"action p50": 1.2}


def told(
    noise: Noise,
    *,
    pairs: int = 5,
    order: Order = "drawn",
    planted: Mapping[str, float] | None = None,
    sittings: int = SITTINGS,
) -> dict[str, float]:
    """The share of sittings that give an answer to each metric; under the empty name, that give any."""
    random, counted = Random(4), dict.fromkeys(("", *SPREADS), 0)
    for number in range(sittings):
        table = sitting(random, pairs, noise, order=order, planted=planted)
        answers = contrasts(table, Terms(), str(number))
        found = [name for name, contrast in answers.items() if contrast.answer != "no verdict"]
        for name in (*found, *([""] if found else [])):
            counted[name] += 1
    return {name: count / sittings for name, count in counted.items()}


@pytest.mark.parametrize("noise", [Noise(), DRIFTING, SHOCKED], ids=["quiet", "drifting", "shocked"])
def test_a_table_of_which_nothing_is_true_is_silent_in_19_of_20_sittings(noise: Noise) -> None:
    assert told(noise)[""] <= 0.05


def missed(order: Order) -> float:
    """The share of intervals that leave out the truth while each trial is slower than the one before."""
    random, missed, told = Random(4), 0, 0
    for number in range(100):
        table = sitting(random, 5, Noise(drift=1.5), order=order)
        for found in contrasts(table, Terms(), str(number)).values():
            assert found.low is not None
            assert found.high is not None
            missed += not found.low <= 1 <= found.high
            told += 1
    return missed / told


def test_an_interval_holds_the_truth_under_drift_because_the_order_is_drawn() -> None:
    """A B, A B … lets a steady drift favour the same arm in every pair: then about every second one misses."""
    assert missed("drawn") <= 0.09
    assert missed("A B") >= 0.3


@pytest.mark.parametrize(
    ("planted", "metric"), [(SLOW_HANDLER, "speed"), (SLOW_APPEND, "action p50")], ids=["handler", "append"]
)
@pytest.mark.parametrize("noise", [Noise(), DRIFTING], ids=["quiet", "drifting"])
def test_a_slow_down_of_20_percent_is_found_in_five_pairs(
    noise: Noise, planted: Mapping[str, float], metric: str
) -> None:
    assert told(noise, planted=planted, sittings=100)[metric] >= 0.8


def test_some_true_difference_makes_no_other_metric_speak() -> None:
    found = told(Noise(), planted={"speed": 2.0})
    others = {name: share for name, share in found.items() if name not in ("", "speed")}
    assert found["speed"] == 1
    assert sum(others.values()) <= 0.05


def main() -> None:
    """The figures of docs/method.md."""
    for name, noise in (("quiet", Noise()), ("drifting", DRIFTING), ("shocked", SHOCKED)):
        for pairs in (5, 6, 8):
            nothing = told(noise, pairs=pairs, sittings=2000)[""]
            handler = told(noise, pairs=pairs, planted=SLOW_HANDLER, sittings=500)["speed"]
            append = told(noise, pairs=pairs, planted=SLOW_APPEND, sittings=500)["action p50"]
            print(f"{name:9} {pairs} pairs: nothing {nothing:.3f}, handler {handler:.3f}, append {append:.3f}")
    print(f"intervals that miss under drift: drawn {missed('drawn'):.3f}, A B, A B {missed('A B'):.3f}")


if __name__ == "__main__":
    main()
