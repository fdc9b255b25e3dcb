"""Sittings made by chance: trials with noise of an assumed size, with drift, and with a difference that is planted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal

from bench.compare.statistics.pairs import Pair, Value

Order = Literal["drawn", "A B"]

SPREADS: Final[Mapping[str, float]] = {
    **{"actions": 0.01, "reads": 0.01, "action p50": 0.03, "action p99": 0.12, "visible p50": 0.03, "visible p99": 0.2},
    **{"projected p50": 0.03, "projected p99": 0.15, "backlog": 0.2, "convergence": 0.04, "speed": 0.03},
}
"""Standard deviation of the logarithm of a figure from trial to trial."""


@dataclass(frozen=True)
class Noise:
    """`shared`: of a trial's variance, what all its metrics have in common. `drift`: spreads that a trial adds to the
    next one; `shock`: the chance that somebody else's work made a trial five spreads slower."""

    shared: float = 0.5
    drift: float = 0.0
    shock: float = 0.0
    spreads: Mapping[str, float] = field(default_factory=lambda: SPREADS)


def sitting(
    random: Random, pairs: int, noise: Noise, *, order: Order = "drawn", planted: Mapping[str, float] | None = None
) -> dict[str, list[Pair]]:
    """One sitting; `planted` are the true ratios of the arm to the base, 1 where none is named."""
    table: dict[str, list[Pair]] = {name: [] for name in noise.spreads}
    for pair in range(pairs):
        turned = order == "drawn" and random.getrandbits(1)
        trials = [_trial(random, 2 * pair + place, noise) for place in range(2)]
        base, arm = reversed(trials) if turned else trials
        for name, found in table.items():
            found.append(Pair(Value(base[name]), Value(arm[name] * (planted or {}).get(name, 1.0))))
    return table


def _trial(random: Random, place: int, noise: Noise) -> dict[str, float]:
    shared = random.gauss() + (5.0 if random.random() < noise.shock else 0.0)
    return {
        name: math.exp(
            spread
            * (math.sqrt(noise.shared) * shared + math.sqrt(1 - noise.shared) * random.gauss() + noise.drift * place)
        )
        for name, spread in noise.spreads.items()
    }
