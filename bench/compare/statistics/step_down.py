"""Step-down max-T test by joint sign flips: Holm's procedure over the metrics of a table, with their dependence in it.

At most `p` of tables of which nothing is true have a metric with an adjusted p-value of `p` or less, whatever the noise
is like and however metrics hang on each other (P. H. Westfall and S. S. Young, Resampling-Based Multiple Testing, 1993,
algorithm 2.8; J. P. Romano and M. Wolf, Journal of the American Statistical Association 100, 2005). Holm's own bound,
the p-value times the number of metrics, can say nothing of five pairs: 2/32 times ten is no chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from random import Random
from typing import Final

from bench.compare.statistics.pairs import step_size

ALL_UP_TO: Final = 12
"""Pairs whose sign patterns are all looked at: 2,048, for those that mirror each other are the same. Of more, DRAWN."""

DRAWN: Final = 2_000
TIED: Final = 1e-9
Logs = tuple[float | None, float | None]
Pattern = tuple[bool, ...]


def adjusted(table: Mapping[str, Sequence[Logs]], seed: str) -> dict[str, float]:
    """The p-value of each metric for its whole table, from the logarithms of base and arm in each pair, None unknown.

    A pattern turns some pairs round for all metrics at once, as if the lot that gave each its order had given it the
    other. `seed` draws the patterns where there are too many.
    """
    if not table:
        return {}
    flips = list(_patterns(max(map(len, table.values())), Random(seed)))
    found = {name: [_statistic(pairs, turned) for turned in flips] for name, pairs in table.items()}
    left = sorted(found, key=lambda name: found[name][0], reverse=True)
    told: dict[str, float] = {}
    least = 0.0
    while left:
        largest = [max(found[name][flip] for name in left) for flip in range(len(flips))]
        name = left.pop(0)
        least = max(least, sum(value >= found[name][0] - TIED for value in largest) / len(flips))
        told[name] = least
    return told


def _patterns(pairs: int, random: Random) -> Iterator[Pattern]:
    """Which pairs are turned round; first the pattern that was measured."""
    if pairs <= ALL_UP_TO:
        yield from ((False, *turned) for turned in product((False, True), repeat=pairs - 1))
        return
    yield (False,) * pairs
    for _ in range(DRAWN - 1):
        yield tuple(bool(random.getrandbits(1)) for _ in range(pairs))


def _statistic(pairs: Sequence[Logs], turned: Pattern) -> float:
    """The mean log ratio in units of the steps within the arms, both as the pattern makes them.

    In fives of pairs it finds more than Student's t, whose unit is the spread of five ratios and of nothing else.
    """
    told = [(arm, base) if turn else (base, arm) for (base, arm), turn in zip(pairs, turned, strict=True)]
    ratios = [arm - base for base, arm in told if base is not None and arm is not None]
    mean = abs(math.fsum(ratios)) / len(ratios)
    size = step_size([base for base, _ in told], [arm for _, arm in told])
    if size:
        return mean / size
    return math.inf if mean else 0.0
