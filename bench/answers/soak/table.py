"""A soak for a terminal: a line for each series, and what compounds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.answers.soak.document import compounding
from bench.report.words import spoken
from metrics.records.answers.soak import FILE, Series, Soak

WIDTH: Final = 155
"""What a line needs; where a terminal is narrower it wraps."""

STYLES: Final[Mapping[str, str]] = {"settles": "green", "compounds": "bold red", "too short": "yellow"}


def show(console: Console, document: Soak, folder: Path) -> None:
    """Print every series, and where the report is."""
    console.print()
    # A width given to `print` can only make a table narrower.
    width, console.width = console.width, max(console.width, WIDTH)
    console.print(_table(document))
    console.width = width
    console.print(Text(headline(document), style="bold"), soft_wrap=True)
    for note in (document["why"], *document["notes"]):
        if note:
            console.print(Text(f"note: {note}"), soft_wrap=True)
    console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)
    console.print(Text(f"result  {folder / FILE}"), soft_wrap=True)


def headline(document: Soak) -> str:
    """What was run, and what came of it."""
    judged = [each for each in document["series"] if each["verdict"] != "too short"]
    rate = "a closed loop" if document["rate"] is None else f"{document['rate']:g} requests/s"
    worse = len(compounding(document["series"]))
    how = (
        document["target"] if document["strategy"] == "not told" else f"{document['target']} by {document['strategy']}"
    )
    return (
        f"{how}, {rate} for {spoken(60 * document['minutes'])}, {document['events']:,} events: "
        f"{len(judged) - worse} of {len(judged)} series settle"
    )


def figure(value: float | None, unit: str) -> str:
    """A value with its unit; a share in percent."""
    if value is None:
        return "–"
    if not unit:
        return f"{value:.1%}"
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:.3g} {unit}"


def _table(document: Soak) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("series", no_wrap=True)
    table.add_column("of", no_wrap=True)
    for word in ("level", "growth", "from … to", "allowed", "an hour"):
        table.add_column(word, justify="right")
    table.add_column("")
    for each in document["series"]:
        table.add_row(*row(each), Text(each["verdict"], style=STYLES[each["verdict"]]))
    return table


def row(each: Series) -> tuple[str, ...]:
    """Group, name, and figures of a series; what it may fall by is told with a minus."""
    allowed = each["allowed"] if not each["falls"] or each["allowed"] is None else -each["allowed"]
    level, growth, may, hourly = (
        figure(value, each["unit"]) for value in (each["level"], each["growth"], allowed, each["per_hour"])
    )
    return (each["group"], each["name"], level, growth, span(each), may, hourly)


def span(each: Series) -> str:
    """The interval of the growth, its unit once."""
    if each["low"] is None or each["high"] is None:
        return "–"
    low, unit, high = figure(each["low"], each["unit"]), each["unit"], figure(each["high"], each["unit"])
    return f"{low.removesuffix(unit).rstrip()} … {high}"
