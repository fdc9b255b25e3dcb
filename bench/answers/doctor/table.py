"""The examination as tables for a terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from metrics.records.doctor import Diagnosis

SIGNS: Final = {"fine": ("ok", "green"), "warning": ("!", "yellow"), "wrong": ("x", "bold red")}
PAGE: Final = "docs/operation/engines.md"
VERDICTS: Final = {0: "fine", 1: "works, with warnings that a result carries", 2: "does not work"}


def show(console: Console, document: Diagnosis) -> None:
    """Print what it is, facts, then strategies, then the verdict."""
    console.print(Text(document.address), soft_wrap=True)
    if document.engines:
        console.print(Text(f"{'; '.join(document.engines)} ({PAGE})", style="bold"), soft_wrap=True)
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for fact in document.facts:
        sign, style = SIGNS[fact.state]
        facts.add_row(Text(sign, style=style), fact.name, Text(fact.value), Text(fact.note, style="dim"))
    console.print(facts)
    strategies = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for one in document.strategies:
        sign, style = SIGNS["fine" if one.sound else "wrong"]
        verdict = "sound" if one.sound else "not sound"
        strategies.add_row(Text(sign, style=style), one.name, f"({one.mode})", verdict, Text(one.why))
    console.print(strategies)
    console.print(Text(VERDICTS[document.code], style="bold"))
