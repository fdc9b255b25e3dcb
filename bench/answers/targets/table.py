"""The table of targets on a terminal: a row each, with median, range and ratio to the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.answers.targets import kills
from bench.answers.targets.document import REFERENCE, kind, ranked
from bench.answers.targets.kills import mark, phrases
from bench.compare import words
from bench.drill.document import right_again, taken_over
from bench.report.words import WORDS, spoken
from metrics.records.answers.targets import FILE, Figure, LeftOut, Row, Targets, Told
from metrics.records.sections.target import NOT_CHECKED

WIDTH: Final = 160
"""What a line needs; where a terminal is narrower it wraps."""
COLORS: Final = {"better": "bold green", "worse": "bold red", "hint": "yellow", "no verdict": "dim", "": "dim"}
SHORT: Final[Mapping[str, str]] = {
    "actions_per_s": "actions/s",
    "action_p99_ms": "p99\nms",
    "visible_p50_ms": "visible\np50 ms",
    "visible_p99_ms": "visible\np99 ms",
    "convergence_speed": "catch-up\nevents/s",
    "system_cpu_us_per_action": "CPU\nµs/action",
    "wal_bytes_per_action": "WAL\nbytes/action",
}
"""Columns of a terminal, by the figure's name."""


def show(console: Console, document: Targets, folder: Path) -> None:
    """Print the table, what was wrong or left out and why, and where the report is."""
    console.print()
    console.print(Text(headline(document), style="bold"), soft_wrap=True)
    for note in (*doubts(document), *document["notes"]):
        console.print(Text(f"note: {note}"), soft_wrap=True)
    # A width given to `print` can only make a table narrower.
    width, console.width = console.width, max(console.width, WIDTH)
    console.print(_table(document))
    console.width = width
    for row in document["rows"]:
        if row["why"]:
            console.print(Text(f"{row['name']}: {word(row)}: {row['why']}", style="red"), soft_wrap=True)
        if mark(row):
            console.print(Text(f"{row['name']}: {mark(row)}: {kills.why(row)}", style="red"), soft_wrap=True)
        if told := phrases(row):
            console.print(Text(f"{row['name']}: kill -9 of a projector: {'; '.join(told)}"), soft_wrap=True)
    if told := not_checked(document):
        console.print(Text(f"durability {NOT_CHECKED}: {', '.join(told)}"), soft_wrap=True)
    for names, why in left_out(document["left_out"]):
        console.print(Text(f"{names}: left out: {why}"), soft_wrap=True)
    console.print(Text(terms(document), style="dim"), soft_wrap=True)
    console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)
    console.print(Text(f"result  {folder / FILE}"), soft_wrap=True)


def headline(document: Targets) -> str:
    """What was measured, and whether it counts."""
    rows = document["rows"]
    trials = sum(len(row["trials"]) for row in rows)
    wrong = [row["name"] for row in rows if row["verdict"] not in ("converged", "not measured")]
    proved = f"{', '.join(wrong)} not proved right" if wrong else "every one proved right"
    struck = "".join(f", {row['name']} {mark(row)}" for row in rows if mark(row))
    told = f"{len(rows)} targets, {trials} trials in {spoken(document['took_s'])}, {proved}{struck}"
    return f"{told}; {document['why']}" if document["why"] else told


def not_checked(document: Targets) -> list[str]:
    """The targets whose durability is told alone: measured, and nobody could look at their store."""
    return [row["name"] for row in document["rows"] if row["trials"] and row.get("durable_checked") is False]


def terms(document: Targets) -> str:
    """What the figures are, and how much a ratio is worth."""
    needed, complete = document["needed"], document["complete"]
    verdicts = f"no verdict: {document['no_verdict']}" if document["no_verdict"] else f"a verdict takes {needed} rounds"
    rounds = f"{complete} round{'s' * (complete != 1)}, each in an order drawn by lot"
    cost = "CPU and WAL by acknowledged action, which is an event; the CPU of reads is in it"
    return f"median, smallest–largest, and ratio to {document['base']} over {rounds}; {verdicts}; {cost}"


def doubts(document: Targets) -> list[str]:
    """What speaks against the trials, in one line: the list of trials has each."""
    found = document["doubts"]
    trials = sum(len(row["trials"]) for row in document["rows"])
    first = f"{len(found)} doubts about {trials} trials, the first of " if len(found) > 1 else ""
    return [f"{first}{found[0]}"] if found else []


def left_out(found: Sequence[LeftOut]) -> list[tuple[str, str]]:
    """The targets that were not measured, those of one reason together: names and reason."""
    reasons = dict.fromkeys(one["why"] for one in found)
    return [(", ".join(one["name"] for one in found if one["why"] == why), why) for why in reasons]


def word(row: Row) -> str:
    """A verdict as people read it."""
    return WORDS.get(row["verdict"], row["verdict"])


def ratio(told: Told) -> str:
    """The ratio to the base with its interval; nothing where there is none."""
    contrast = told["contrast"]
    if contrast is None or contrast["ratio"] is None:
        return ""
    found = words.factor(contrast)
    return f"× {found} ({words.interval(contrast)})" if contrast["pairs"] > 1 else f"× {found}"


def reading(document: Targets, row: Row, figure: Figure, told: Told) -> str:
    """`better`, `worse`, `hint` or `no verdict`; nothing for the base, without a ratio, and where it is not ranked."""
    contrast = told["contrast"]
    if not ranked(document, row):
        return ""
    return words.verdict(figure, contrast) if contrast is not None and contrast["ratio"] is not None else ""


def spread(figure: Figure, told: Told) -> str:
    """Smallest to largest; nothing where one value stands alone."""
    low, high = told["spread"]["min"], told["spread"]["max"]
    if low is None or high is None or told["spread"]["trials"] < 2:
        return ""
    return "–".join(words.number(end, figure["unit"]) for end in (low, high))


def middle(figure: Figure, told: Told) -> str:
    """The median, with a sign where it is a bound; a dash where there is none."""
    found = told["spread"]
    return (
        "–"
        if found["median"] is None
        else f"{words.SIGNS[found['bound']]}{words.number(found['median'], figure['unit'])}"
    )


def apart(rows: Sequence[Row]) -> list[Row]:
    """The rows in the order of the table: references last, which are not ranked."""
    return sorted(rows, key=lambda row: bool(row.get("reference")))


def _table(document: Targets) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("target", "verdict", "proof\nclass"):
        table.add_column(name, no_wrap=True)
    for figure in document["figures"]:
        table.add_column(SHORT.get(figure["name"], figure["label"]), justify="right", no_wrap=True)
    table.add_column("kill -9:\ntaken over after,\nright again", no_wrap=True)
    ordered = apart(document["rows"])
    for row, before in zip(ordered, [None, *ordered], strict=False):
        if row.get("reference") and not (before and before.get("reference")):
            table.add_row(Text(f"\n{REFERENCE}, not ranked", style="dim"))
        good = row["verdict"] == "converged"
        verdict = Text(word(row), style="bold green" if good else "bold red")
        if mark(row):
            verdict.append(f"\n{mark(row).replace(' after', chr(10) + 'after')}", style="bold red")
        called = Text(f"{row['name']}\n{row['version']}")
        cells = [cell(document, figure, row) for figure in document["figures"]]
        table.add_row(
            called, verdict, f"{row['proof'] or '–'}\n{kind(row).partition(',')[0]}", *cells, _after_kill(row)
        )
    return table


def _after_kill(row: Row) -> Text:
    """In short; the line below the table has it in full."""
    kill = row.get("kill")
    if kill is None:
        return Text("–", style="dim")
    if not kill["hit"]:
        return Text("not hit")
    return Text(f"{taken_over(kill, 'max')}\n{right_again(kill, 'max')}")


def cell(document: Targets, figure: Figure, row: Row) -> Text:
    """Median, range and ratio, colored by its verdict; dim where there is none."""
    told = row["figures"].get(figure["name"])
    if told is None or told["spread"]["median"] is None:
        return Text("–", style="dim")
    shown = Text(middle(figure, told))
    if within := spread(figure, told):
        shown.append(f"\n{within}", style="dim")
    if against := ratio(told):
        shown.append(f"\n{against.partition(' (')[0]}", style=COLORS[reading(document, row, figure, told)])
    return shown
