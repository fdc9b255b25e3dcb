"""Takeover by the counts of `/stats` alone, of a target that tells no leases: the first progress while one is out.

All moments are of this machine's clock, and known to the interval between two looks.
"""

from __future__ import annotations

import time
from typing import Final

from bench.ends import signals
from bench.platforms import http_client
from bench.platforms.platform import Part, System
from bench.trial.fault import Stats
from metrics.records.fault import Takeover

LANDED_S: Final = 0.5
"""A statement that was under way when its projector was stopped is carried out by the server all the same."""
APART_S: Final = 0.2
"""Between two looks at a projection that is to stand still."""
MOST_ROUNDS: Final = 3
"""So often it is looked for one that alone has the work in hand."""
WITHIN_S: Final = 15.0
"""For so long a takeover is waited for."""
ALONE_S: Final = 2.0
"""And for so long where no other projector runs, so that the backlog is seen to stand still."""
NOT_TOLD: Final = ("leases in hand", "who took over")


def freeze_at_work(system: System, *, rounds: int) -> tuple[Part, Stats] | None:
    """Freeze a projector that has the work in hand, and say what is seen then: one without which the projection stands
    still with a backlog, or, once as many rounds were in vain, the first one while there is a backlog.

    It is frozen when this returns. None, with all of them at work again, where there was none.
    """
    parts = system.parts("projector")
    for part in parts:
        system.pause(part)
        before, after = _looks(system.base_url)
        if before and after and after["totalEventsProjected"] == before["totalEventsProjected"]:
            return part, after
        system.resume(part)
        signals.check()
    if rounds < MOST_ROUNDS:
        return None
    system.pause(parts[0])
    _, seen = _looks(system.base_url)
    if seen is None:
        system.resume(parts[0])
    return None if seen is None else (parts[0], seen)


def _looks(base_url: str) -> list[Stats | None]:
    """Two looks, once all that was sent has landed; None for one without an answer, or without a backlog."""
    found: list[Stats | None] = []
    for pause_s in (LANDED_S, APART_S):
        time.sleep(pause_s)
        stats = http_client.figures(base_url)
        found.append(stats if stats and stats["backlog"] > 0 else None)
    return found


class Progress:
    """What the projection did since a projector was struck, until it is healed. `others`: how many still run."""

    def __init__(self, others: int) -> None:
        self._others = others
        self._struck_at: float | None = None
        self._projected = 0
        self._backlog = 0
        self._took_s: float | None = None
        self._out_s = 0.0
        self._healed = False

    def begin(self, seen: Stats) -> None:
        """A projector was struck now; this was seen of its work just before, when all that it had sent had landed."""
        self._struck_at = time.time()
        self._projected, self._backlog = seen["totalEventsProjected"], seen["backlog"]

    def note(self, stats: Stats) -> None:
        """Take in what is seen now."""
        if self._struck_at is None or self._healed:
            return
        self._out_s = time.time() - self._struck_at
        if self._took_s is None and stats["totalEventsProjected"] > self._projected:
            self._took_s = self._out_s

    def heal(self) -> None:
        """The struck one goes on: what comes now may be its own."""
        self._healed = True

    @property
    def in_hand(self) -> bool:
        """Whether something was left to project when it was struck."""
        return self._backlog > 0

    @property
    def any(self) -> bool:
        """True once there was progress without it."""
        return self._took_s is not None

    @property
    def over(self) -> bool:
        """True once there is nothing more to wait for."""
        return self.any or self._out_s >= (WITHIN_S if self._others else ALONE_S)

    def told(self) -> Takeover:
        """The time to the first progress, or for how long there was none."""
        return Takeover(
            leases_held=None,
            takeovers=int(self.any),
            takeover_s=self._took_s,
            by="progress",
            none_within_s=None if self.any else self._out_s,
            resolution_s=APART_S,
            not_told=list(NOT_TOLD),
        )

    def words(self) -> str:
        """What was in hand, and what became of it, for people."""
        had = f"with a backlog of {self._backlog} event(s)" if self.in_hand else "with nothing left to project"
        if self.any:
            return f"{had}; progress without it after {self._took_s:.1f} s"
        nobody = "nobody else was there to take over" if not self._others else "nobody took over"
        return f"{had}, which stood still: {nobody} within {self._out_s:.1f} s" if self.in_hand else had
