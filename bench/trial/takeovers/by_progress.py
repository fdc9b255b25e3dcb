"""Takeover by the counts of `/stats` alone, of a target that tells no leases: the first progress while one is out.

All moments are of this machine's clock, and known to the interval between two looks.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

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
WORKED_ON: Final = "takeover: others worked on when it was struck"
"""Then progress shows nothing: it may be of their own share of the work alone."""
NEVER_FEWER: Final = "takeover: others worked on, and the backlog never was smaller than when it was struck"
"""Then all that they did may have come after the strike, and what it had in hand may lie there still."""


class Frozen(NamedTuple):
    """A projector that is frozen with a backlog, what was seen then, and whether the projection stood still."""

    part: Part
    seen: Stats
    stood_still: bool


def freeze_at_work(system: System, *, rounds: int) -> Frozen | None:
    """Freeze a projector that has the work in hand, and say what is seen then: one without which the projection stands
    still with a backlog, or, once as many rounds were in vain, the first one while there is a backlog.

    It is frozen when this returns. None, with all of them at work again, where there was none.
    """
    parts = system.parts("projector")
    for part in parts:
        found = _freeze(system, part)
        if found is not None and found.stood_still:
            return found
        if found is not None:
            system.resume(part)
        signals.check()
    return None if rounds < MOST_ROUNDS else _freeze(system, parts[0])


def _freeze(system: System, part: Part) -> Frozen | None:
    """Freeze it and look; None, with it at work again, where there is no backlog."""
    system.pause(part)
    before, after = _looks(system.base_url)
    if after is None:
        system.resume(part)
        return None
    still = before is not None and after["totalEventsProjected"] == before["totalEventsProjected"]
    return Frozen(part, after, still)


def _looks(base_url: str) -> list[Stats | None]:
    """Two looks, once all that was sent has landed; None for one without an answer, or without a backlog."""
    found: list[Stats | None] = []
    for pause_s in (LANDED_S, APART_S):
        time.sleep(pause_s)
        stats = http_client.figures(base_url)
        found.append(stats if stats and stats["backlog"] > 0 else None)
    return found


class Progress:
    """What the projection did since a projector was struck, until it is healed; it begins at the strike, with what was
    seen of its work just before, when all that it had sent had landed.

    A takeover is shown where nothing went on without the struck one, then something did, and later fewer events were
    left than when it was struck: so some of those that it left are among what the others did.
    """

    def __init__(self, system: System, struck: Frozen) -> None:
        self._others = len(system.parts("projector")) - 1
        self._struck_at = time.time()
        self._projected: int = struck.seen["totalEventsProjected"]
        self._backlog: int = struck.seen["backlog"]
        self._stood_still = struck.stood_still
        self._took_s: float | None = None
        self._fewer = False
        self._emptied_s: float | None = None
        self._out_s = 0.0
        self._healed = False

    def note(self, stats: Stats) -> None:
        """Take in what is seen now."""
        if self._healed:
            return
        self._out_s = time.time() - self._struck_at
        if self._took_s is None and stats["totalEventsProjected"] > self._projected:
            self._took_s = self._out_s
        self._fewer |= stats["backlog"] < self._backlog
        if self._emptied_s is None and stats["backlog"] == 0:
            self._emptied_s = self._out_s

    def heal(self) -> None:
        """The struck one goes on: what comes now may be its own."""
        self._healed = True

    @property
    def in_hand(self) -> bool:
        """Whether something was left to project when it was struck."""
        return self._backlog > 0

    @property
    def any(self) -> bool:
        """True once a takeover was shown."""
        return self._stood_still and self._took_s is not None and self._fewer

    @property
    def none(self) -> bool:
        """Whether nothing went on without it, neither when it was struck nor since."""
        return self._stood_still and self._took_s is None

    @property
    def over(self) -> bool:
        """True once there is nothing more to wait for."""
        shown = self.any if self._stood_still else self._emptied_s is not None
        return shown or self._out_s >= (WITHIN_S if self._others else ALONE_S)

    def told(self) -> Takeover:
        """The time to the first progress, or for how long there was none; not told where progress shows neither."""
        known = self.any or self.none
        reason = NEVER_FEWER if self._stood_still else WORKED_ON
        return Takeover(
            leases_held=None,
            takeovers=int(self.any) if known else None,
            takeover_s=self._took_s if self.any else None,
            by="progress",
            none_within_s=self._out_s if self.none else None,
            resolution_s=APART_S,
            not_told=[*NOT_TOLD, *([] if known else [reason])],
        )

    def words(self) -> str:
        """What was in hand, and what became of it, for people."""
        had = f"with a backlog of {self._backlog} event(s)" if self.in_hand else "with nothing left to project"
        if self.any:
            return f"{had}; progress without it after {self._took_s:.1f} s"
        if not self.none:
            return f"{had}, while others worked on; {self._left()}"
        nobody = "nobody else was there to take over" if not self._others else "nobody took over"
        return f"{had}, which stood still: {nobody} within {self._out_s:.1f} s" if self.in_hand else had

    def _left(self) -> str:
        if self._emptied_s is None:
            return f"the backlog did not come to 0 without it within {self._out_s:.1f} s"
        return f"the backlog came to 0 without it after {self._emptied_s:.1f} s"
