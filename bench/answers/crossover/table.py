"""The map on a terminal: a row for each cost of an event, a column for each skew."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.report.words import spoken
from metrics.records.answers.crossover import FILE, Cell, Crossover


def show(console: Console, document: Crossover, folder: Path) -> None:
    """Print the map, and where the report is."""
    console.print()
    console.print(Text(headline(document), style="bold"), soft_wrap=True)
    for note in (document["why"], *document["notes"], worth(document)):
        if note:
            console.print(Text(f"note: {note}"), soft_wrap=True)
    console.print(_map(document))
    console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)
    console.print(Text(f"result  {folder / FILE}"), soft_wrap=True)


def headline(document: Crossover) -> str:
    """What was measured on which side, and what it took."""
    first, second = document["sides"]
    trials = sum(2 * len(cell["pairs"]) for cell in document["cells"])
    projectors = f"{document['projectors']} projector{'' if document['projectors'] == 1 else 's'}"
    took, budget = spoken(document["took_s"]), spoken(document["budget_s"])
    return (
        f"{first} against {second}, convergence speed, HANDLER={document['handler']}, {projectors}: "
        f"{trials} trials in {took} of {budget}"
    )


def worth(document: Crossover) -> str:
    """How much the verdict of a cell is worth."""
    covered = [cell["covered"] for cell in document["cells"] if cell["covered"] is not None]
    if not covered:
        return ""
    return (
        f"{document['pairs']} pairs a cell, the order within each drawn by lot; the intervals cover {min(covered):.2%}"
    )


def cell_at(document: Crossover, cost_ms: float, skew: float) -> Cell | None:
    """The cell, None where it was not measured."""
    return next((cell for cell in document["cells"] if (cell["cost_ms"], cell["skew"]) == (cost_ms, skew)), None)


def label(document: Crossover, cell: Cell | None) -> str:
    """What a cell says."""
    return "not measured" if cell is None else cell["said"]


def _map(document: Crossover) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("cost of an event", no_wrap=True)
    for skew in document["skews"]:
        table.add_column(f"SKEW={skew:g}")
    for cost in document["costs_ms"]:
        cells = [cell_at(document, cost, skew) for skew in document["skews"]]
        table.add_row(f"{cost:g} ms", *(Text(label(document, cell), style=_style(document, cell)) for cell in cells))
    return table


def _style(document: Crossover, cell: Cell | None) -> str:
    if cell is None or cell["faster"] is None:
        return "dim"
    return "green" if cell["faster"] == document["sides"][1] else "magenta"
