"""A comparison on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.compare import words

COLORS: Final = {"better": "bold green", "worse": "bold red", "no verdict": "dim"}


def show(console: Console, document: Mapping[str, Any], folder: Path) -> None:
    """Print what came out in figures and in words, and where the report is."""
    console.print()
    console.print(Text(headline(document), style="bold"), soft_wrap=True)
    for note in (*document["doubts"], *document["notes"]):
        console.print(Text(f"note: {note}"), soft_wrap=True)
    if document["metrics"]:
        console.print(_table(document))
        for metric in document["metrics"]:
            if metric["lead"]:
                for contrast in metric["contrasts"]:
                    console.print(Text(words.sentence(metric, contrast)), soft_wrap=True)
    console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)


def headline(document: Mapping[str, Any]) -> str:
    """One line: what was compared and whether it counts."""
    arms, trials = " and ".join(document["arms"]), len(document["trials"])
    if document["why"]:
        return f"No comparison of {arms}: {document['why']}"
    sound = sum(trial["verdict"] == "converged" for trial in document["trials"])
    proved = (
        "every one proved right" if sound == trials else f"{sound} of them proved right, {trials - sound} timed out"
    )
    return f"{arms}: {trials} trials by turns, {proved}"


def _table(document: Mapping[str, Any]) -> Table:
    first, *others = document["arms"]
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("median, range", no_wrap=True)
    for name in document["arms"]:
        table.add_column(name, justify="right", no_wrap=True)
    for name in others:
        ratio = "ratio" if len(others) == 1 else f"{name} / {first}"
        for heading in (ratio, "noise", ""):
            table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for metric in document["metrics"]:
        table.add_row(_label(metric), *(_spread(metric, arm) for arm in metric["arms"]), *_contrasts(metric))
    return table


def _label(metric: Mapping[str, Any]) -> str:
    return metric["label"] if metric["unit"] == "s" else f"{metric['label']}\n{metric['unit']}"


def _spread(metric: Mapping[str, Any], arm: Mapping[str, Any]) -> str:
    if arm["median"] is None:
        return "–"
    middle, low, high = (words.number(arm[name], metric["unit"]) for name in ("median", "min", "max"))
    return f"{'≥ ' if arm['bound'] == 'at_least' else ''}{middle}\n{low}–{high}"


def _contrasts(metric: Mapping[str, Any]) -> Iterator[str | Text]:
    for contrast in metric["contrasts"]:
        floor, verdict = contrast["noise_floor"], words.verdict(metric, contrast)
        yield words.factor(contrast)
        yield f"{floor:.2f}" if floor else "–"
        yield Text(verdict, style=COLORS[verdict])
