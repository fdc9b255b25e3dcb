"""Time budget of a sitting: how many trials still fit, by what the trials so far have cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

AROUND_S: Final = 8.0
"""What a trial costs beside its phases, until one was measured: starts and stops, both oracles, the report."""


@dataclass
class Budget:
    """So many seconds from now on. A trial fits when one that does not converge would end in time, too.

    `planned_s` is the length of a trial's phases, `more_s` how much longer they are where it times out.
    """

    seconds: float
    planned_s: float
    more_s: float
    clock: Callable[[], float] = time.monotonic
    costs: list[float] = field(default_factory=list)
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def took_s(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self.began

    @property
    def trial_s(self) -> float:
        """What a trial may cost: the longest so far."""
        return max(self.costs, default=self.planned_s + AROUND_S)

    @property
    def worst_s(self) -> float:
        """What one may cost that times out."""
        return max(self.trial_s, self.planned_s + AROUND_S + self.more_s)

    def share(self, sharers: int) -> float:
        """When an even share of what is left ends, in seconds since the beginning."""
        return self.took_s + (self.seconds - self.took_s) / sharers

    def trials(self, until: float, *, together: int = 1) -> int:
        """How many trials still fit before that, of which the last `together` may all time out within the budget."""
        spare = self.seconds - self.took_s - together * self.worst_s
        within = together + int(spare / self.trial_s) if spare >= 0 else 0
        return max(0, min(int((until - self.took_s) / self.trial_s), within))

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Measure what a trial costs."""
        began = self.clock()
        yield
        self.costs.append(self.clock() - began)
