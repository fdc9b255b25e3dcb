"""The strategies on a terminal: what was lost first, then what it costs, and who stands."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.answers.ordering import judge
from bench.report.words import milliseconds, seconds, spoken, whole
from metrics.records.answers.ordering import FILE, Ordering, Row

HEADS: Final = (
    *("lost under load", "lost at a stalled writer", "appends/s", "append p50 / p99, ms", "reader p50 / p99, ms"),
    *("stalled writer: reader, others", "foreign transaction: reader, others", "a writer that skips the protocol"),
    "versions of a stream",
)
PRICES: Final = 5
"""So many of them are losses and prices; the others say who stands, and what is covered."""
NOTHING: Final = "–"


def show(console: Console, document: Ordering, folder: Path) -> None:
    """Print all rows, and where the report is."""
    console.print()
    console.print(Text(headline(document), style="bold"), soft_wrap=True)
    for note in (document["why"], *document["doubts"], *document["notes"]):
        if note:
            console.print(Text(f"note: {note}"), soft_wrap=True)
    # Two tables: one would be wider than a terminal.
    for columns in (range(PRICES), range(PRICES, len(HEADS))):
        console.print(_table(document, columns))
    for row in document["rows"]:
        if row["why"]:
            console.print(Text(f"{row['strategy']}: {row['why']}"), soft_wrap=True)
    console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)
    console.print(Text(f"result  {folder / FILE}"), soft_wrap=True)


def headline(document: Ordering) -> str:
    """What was measured, and how long."""
    turns = sum(len(row["trials"]) for row in document["rows"])
    return (
        f"{len(document['rows'])} strategies, {document['writers']} writers, {document['complete']} of"
        f" {document['rounds']} rounds of {document['seconds']:g} s, stalls of {document['stall_s']:g} s, seed"
        f" {document['seed']}: {turns} trials in {spoken(document['took_s'])}"
    )


def verdict(row: Row) -> str:
    """What a strategy is; a control that was caught is told as what it is."""
    return "loses events" if row["verdict"] == "caught" else row["verdict"]


def cells(row: Row) -> list[str]:
    """The figures of a row, one for each head; a dash where there are none."""
    load, stalled, foreign = row["load"], row["stalled_writer"], row["foreign_transaction"]
    if load is None or stalled is None or foreign is None:
        return [NOTHING] * len(HEADS)
    return [
        f"{load['lost']:,} of {load['appends']:,}",
        f"{stalled['lost']:,}",
        whole(load["appends_per_s"]),
        f"{milliseconds(load['append_p50_ms'])} / {milliseconds(load['append_p99_ms'])}",
        f"{milliseconds(load['lag_p50_ms'])} / {milliseconds(load['lag_p99_ms'])}",
        f"{seconds(stalled['follower_s'])}, {seconds(stalled['writers_s'])}",
        f"{seconds(foreign['follower_s'])}, {seconds(foreign['writers_s'])}",
        row["skipping"] or NOTHING,
        row["order"] or NOTHING,
    ]


def _table(document: Ordering, columns: range) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("strategy", no_wrap=True)
    table.add_column("verdict")
    for column in columns:
        table.add_column(HEADS[column], justify="left" if HEADS[column] in HEADS[-2:] else "right")
    for row in document["rows"]:
        style = "bold red" if not judge.as_it_must(row) else "yellow" if row["control"] else "green"
        told = cells(row)
        table.add_row(row["strategy"], Text(verdict(row), style=style), *(told[column] for column in columns))
    return table
