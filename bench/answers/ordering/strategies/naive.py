"""Control: read on from the highest position seen, whatever is still under way below it."""

from __future__ import annotations

from typing import Final

from bench.answers.ordering.strategy import PLAIN, ByPosition, Strategy

STRATEGY: Final = Strategy(
    title="position > n",
    append=PLAIN,
    follow=ByPosition.on,
    guarantee="none: an event that commits after a later position was read is never seen",
    price="nothing",
    failure="silent: lag is 0, and an event is missing for good",
    control=True,
)
