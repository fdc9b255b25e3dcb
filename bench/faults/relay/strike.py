"""A strike on the network: an order to the relay, and what the relay must have counted for a hit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.platforms.postgres.network import Order, Told


@dataclass(frozen=True)
class Seen:
    """What the relay counted of one strike; see `Told`."""

    under_way: int = 0
    half_open: int = 0
    ended: int = 0
    delayed: int = 0
    swallowed_up: int = 0
    swallowed_down: int = 0
    notifications: int = 0


@dataclass(frozen=True)
class Strike:
    """`told` gives a hit's proof in words, empty where it did not hit.

    `to_projectors`: it strikes what only projectors are sent, so a target without one has nothing to be struck.
    """

    name: str
    order: Order
    told: Callable[[Seen], str]
    to_projectors: bool = False


class Count:
    """Counts one strike: `before` was told just before it, `struck` as its order was carried out."""

    def __init__(self, strike: Strike, before: Told, struck: Told) -> None:
        self.strike = strike
        self._before = before
        self._under_way = struck.under_way
        self._half_open = 0
        self._last = struck

    def note(self, told: Told) -> None:
        """Take in what is told now."""
        self._half_open = max(self._half_open, told.half_open)
        self._last = told

    @property
    def seen(self) -> Seen:
        """What came of it so far."""
        first, last = self._before, self._last
        return Seen(
            under_way=self._under_way,
            half_open=self._half_open,
            ended=last.ended - first.ended,
            delayed=last.delayed - first.delayed,
            swallowed_up=last.swallowed_up - first.swallowed_up,
            swallowed_down=last.swallowed_down - first.swallowed_down,
            notifications=last.notifications - first.notifications,
        )

    @property
    def words(self) -> str:
        """The proof of its hit; empty where it did not hit."""
        return self.strike.told(self.seen)
