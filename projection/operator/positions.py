"""Repair the sequence and the cursor of a store that was restored, and say what still does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from eventstore.soundness.check import Check
from eventstore.soundness.positions import Repair, repair
from projection.leases.cursors import CURSOR
from projection.operator.steps import Steps


@dataclass(frozen=True)
class Positions:
    """What was done, and what an operator still has to do by hand."""

    repair: Repair
    still: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((*self.repair.lines(), *(f"still: {finding}" for finding in self.still)))


async def positions(steps: Steps) -> Positions:
    """Repair in one transaction (`eventstore.soundness.positions`), then look again. Raises as `Steps.run`."""
    done = await steps.run(partial(repair, cursor=CURSOR))
    findings = await steps.run(Check({}).findings)
    return Positions(done, tuple(map(str, findings)))
