"""Run the map cell by cell, each in pairs whose order is drawn by lot, as far as the budget goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from rich.console import Console
from rich.text import Text

from bench.answers.budget import Budget
from bench.answers.crossover.cell import Cell
from bench.answers.trial import Measure
from bench.bundle.reading import Read
from bench.preflight.settings import Settings

USABLE: Final = ("converged", "timed_out")


@dataclass
class Sitting:
    """The cells in their order. `sides` are the settings of both strategies, which a cell completes."""

    sides: tuple[Settings, Settings]
    cells: list[Cell]
    pairs: int
    budget: Budget
    anyway: bool = False
    why: str = ""
    first: Read | None = None

    @property
    def begun(self) -> list[Cell]:
        """The cells that have a pair, or a reason for having none."""
        return [cell for cell in self.cells if cell.pairs or cell.why]


def run(sitting: Sitting, measure: Measure, order: Random, console: Console) -> None:
    """Measure every cell that fits the budget, each pair in the order that `order` draws.

    Raises SetupError, KeyboardInterrupt; what was measured is kept.
    """
    try:
        for cell in sitting.cells:
            _cell(sitting, cell, measure, order, console)
    except BaseException:
        sitting.why = "the sitting was broken off"
        raise


def _cell(sitting: Sitting, cell: Cell, measure: Measure, order: Random, console: Console) -> None:
    """Measure one cell. A trial without a result ends it: what it lacks would be a choice among the others."""
    for number in range(sitting.pairs):
        if sitting.budget.trials(sitting.budget.seconds, together=2) < 2:
            break
        pair = _pair(sitting, cell, number, measure, order)
        if unusable := [trial.result for trial in pair if trial.result.verdict not in USABLE]:
            cell.why = f"{unusable[0].run_id} is {unusable[0].verdict}: {unusable[0].why}"
            break
        cell.pairs.append((pair[0], pair[1]))
    if cell.pairs or cell.why:
        found = cell.record(str(sitting.sides[0].seed), anyway=sitting.anyway)
        because = f" ({found['because']})" if found["because"] else ""
        head = f"{sitting.budget.took_s:5.0f} s  {cell.cost_ms:g} ms an event, SKEW={cell.skew:g}"
        console.print(Text(f"{head}: {found['said']}{because}, {len(cell.pairs)} pairs"), soft_wrap=True)


def _pair(sitting: Sitting, cell: Cell, number: int, measure: Measure, order: Random) -> Sequence[Read]:
    found: dict[int, Read] = {}
    for side in order.sample(range(2), 2):
        settings = replace(
            sitting.sides[side],
            handler_latency_ms=cell.cost_ms,
            skew=cell.skew,
            rate=cell.rate,
            # Both sides of a pair have the same arrivals, each pair others.
            seed=sitting.sides[side].seed + number,
        )
        title = f"{cell.cost_ms:g} ms, SKEW={cell.skew:g}, pair {number + 1} of {sitting.pairs}: {settings.strategy}"
        with sitting.budget.trial():
            found[side] = measure(settings, title)
        sitting.first = sitting.first or found[side]
    return [found[0], found[1]]
