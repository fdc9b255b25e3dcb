"""A capacity on a terminal, below its rungs: the intervals, a plot of them, what is not confirmed, replicas by load."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.answers.capacity import words
from bench.report.words import milliseconds, spoken, whole
from metrics.records.answers.capacity import UNIT, Capacity, Curve

WIDTH: Final = 24


def show(console: Console, document: Capacity, folder: Path) -> None:
    """Print what was found, and where the report is."""
    console.print()
    console.print(Text(headline(document), style="bold"), soft_wrap=True)
    for note in (document["why"], *document["notes"]):
        if note:
            console.print(Text(f"note: {note}"), soft_wrap=True)
    console.print(_answers(document))
    for curve in document["curves"]:
        if curve["end"] != "found":
            console.print(Text(f"{words.name(curve)}: {curve['said']}", style="yellow"), soft_wrap=True)
    for strategy in dict.fromkeys(curve["strategy"] for curve in document["curves"]):
        bands = "; ".join(words.loads(document, strategy))
        console.print(Text(f"replicas by load, {strategy}: {bands}"), soft_wrap=True)
    console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)
    console.print(Text(f"result  {folder / 'capacity.json'}"), soft_wrap=True)


def headline(document: Capacity) -> str:
    """What was asked, in which unit, and what it took."""
    trials = sum(len(curve["rungs"]) for curve in document["curves"])
    objective = (
        f"write to visible p99 ≤ {milliseconds(document['visible_p99_ms'])} ms, no backlog that grows, no errors"
    )
    load = f"{UNIT}, {document['write_ratio']:.0%} of them writes"
    took, budget = spoken(document["took_s"]), spoken(document["budget_s"])
    return f"Capacity ({objective}; {load}): {trials} trials in {took} of {budget}"


def _answers(document: Capacity) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    for column in ("holds", "fails", "actions/s"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column(f"0 to {words.rate(_most(document))} {UNIT}", no_wrap=True)
    for curve in document["curves"]:
        holds, fails = (("–" if value is None else words.rate(value)) for value in (curve["holds"], curve["fails"]))
        actions = "–" if curve["actions_per_s"] is None else whole(curve["actions_per_s"])
        table.add_row(words.name(curve), holds, fails, actions, bar(curve, _most(document)))
    return table


def bar(curve: Curve, most: float) -> Text:
    """The rates that hold, those in question, and those that fail, on a scale of their own width."""
    holds = round(WIDTH * (curve["holds"] or 0.0) / most)
    fails = WIDTH if curve["fails"] is None else max(round(WIDTH * curve["fails"] / most), holds)
    return Text.assemble(("█" * holds, "green"), ("░" * (fails - holds), "yellow"), ("·" * (WIDTH - fails), "dim"))


def _most(document: Capacity) -> float:
    return max(rung["rate"] for curve in document["curves"] for rung in curve["rungs"])
