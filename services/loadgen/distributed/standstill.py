"""Supervisor's half of the hold: gives the orders of Locust's process to whoever leads the run, and brings the answers.

The bench does, by files in the folder of the run; without it nobody here reaches a projector.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Final

from metrics.reading import BadDocument
from metrics.records.sections.hold import Order, State, Told, ask, told

ANSWER_WITHIN_S: Final = 30.0
LOOK_S: Final = 0.01
NOBODY: Final = "nobody leads this run who could let projectors stand still"
ANSWERS: Final[dict[Order, Collection[State]]] = {
    "stand still": ("standing", "left out"),
    "go on": ("going on", "left out"),
}


class Standstill:
    """The orders of one run. `within_s` is how long whoever leads it may take to carry one out."""

    def __init__(self, folder: Path, within_s: float = ANSWER_WITHIN_S) -> None:
        self._folder = folder
        self._within_s = within_s
        found = self._told()
        self.impossible = "" if found.state == "ready" else found.why or NOBODY

    async def order(self, order: Order) -> Told:
        """Give an order; what has become of it. `left out` says why, also where no answer came in time."""
        if self.impossible:
            return Told("left out", self.impossible)
        try:
            ask(self._folder, order)
        except OSError as error:
            return Told("left out", f"the order to {order} could not be written ({error.strerror})")
        return await self._answer(order)

    async def _answer(self, order: Order) -> Told:
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._within_s
        while clock() < deadline:
            found = self._told()
            if found.state in ANSWERS[order]:
                return found
            await asyncio.sleep(LOOK_S)
        return Told("left out", f"the order to {order} was not carried out within {self._within_s:g} s")

    def _told(self) -> Told:
        try:
            return told(self._folder) or Told("left out", NOBODY)
        except BadDocument as error:
            return Told("left out", str(error))
