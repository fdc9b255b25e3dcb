"""A comparison on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.compare import words

COLORS: Final = {"better": "bold green", "worse": "bold red", "hint": "yellow", "no verdict": "dim"}


def show(console: Console, document: Mapping[str, Any], folder: Path) -> None:
    """Print what came out in figures and in words, and where the report is."""
    console.print()
    console.print(Text(headline(document), style="bold"), soft_wrap=True)
    for note in (*untold(document), *document["notes"]):
        console.print(Text(f"note: {note}"), soft_wrap=True)
    if document["metrics"]:
        console.print(_table(document))
        for metric in document["metrics"]:
            if metric["lead"]:
                for contrast in metric["contrasts"]:
                    console.print(Text(words.sentence(metric, contrast)), soft_wrap=True)
        console.print(Text(words.terms(document), style="dim"), soft_wrap=True)
    console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)


def untold(document: Mapping[str, Any]) -> list[str]:
    """The doubts that the headline has not said in whole."""
    said = "" if document["why"] else document["no_verdict"]
    return [doubt for doubt in document["doubts"] if doubt != said and not said.startswith(f"{doubt} (and ")]


def headline(document: Mapping[str, Any]) -> str:
    """One line: what was compared and whether it counts."""
    prefix, names = _short(document["arms"])
    arms = f"{prefix} {', '.join(names)}" if prefix else " and ".join(names)
    trials = len(document["trials"])
    if document["why"]:
        return f"No comparison of {arms}: {document['why']}"
    sound = sum(trial["verdict"] == "converged" for trial in document["trials"])
    proved = (
        "every one proved right" if sound == trials else f"{sound} of them proved right, {trials - sound} timed out"
    )
    told = f"{arms}: {trials} trials in {words.counted(document['pairs']['complete'])}, {proved}"
    return f"{told}; no verdict: {document['no_verdict']}" if document["no_verdict"] else told


def _table(document: Mapping[str, Any]) -> Table:
    prefix, names = _short(document["arms"])
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column(prefix or "median, range", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for name in names[1:]:
        table.add_column("ratio" if len(names) == 2 else f"{name} / {names[0]}", justify="right", no_wrap=True)
    if len(names) == 2:
        table.add_column("noise", justify="right", no_wrap=True)
    for metric in document["metrics"]:
        spreads = (_spread(metric, arm, ranged=len(names) == 2) for arm in metric["arms"])
        contrasts = [_contrast(metric, contrast) for contrast in metric["contrasts"]]
        table.add_row(_label(metric), *spreads, *contrasts, *([_noise(metric)] if len(names) == 2 else []))
    return table


def _short(arms: Sequence[str]) -> tuple[str, list[str]]:
    """What all names begin with, and the rest of each: `PROJECTORS=`, [1, 2, 4]."""
    prefixes = {name.partition("=")[0] for name in arms}
    if len(prefixes) > 1 or "=" not in arms[0]:
        return "", list(arms)
    return f"{arms[0].partition('=')[0]} =", [name.partition("=")[2] for name in arms]


def _label(metric: Mapping[str, Any]) -> str:
    return metric["label"] if metric["unit"] == "s" else f"{metric['label']}\n{metric['unit']}"


def _spread(metric: Mapping[str, Any], arm: Mapping[str, Any], *, ranged: bool) -> str:
    if arm["median"] is None:
        return "–"
    middle, low, high = (words.number(arm[name], metric["unit"]) for name in ("median", "min", "max"))
    return f"{words.SIGNS[arm['bound']]}{middle}" + (f"\n{low}–{high}" if ranged else "")


def _contrast(metric: Mapping[str, Any], contrast: Mapping[str, Any]) -> Text:
    verdict = words.verdict(metric, contrast)
    return Text(f"{words.factor(contrast)}\n{verdict}", style=COLORS[verdict])


def _noise(metric: Mapping[str, Any]) -> str:
    floor = metric["contrasts"][0]["noise_floor"]
    return f"{floor:.2f}" if floor else "–"
