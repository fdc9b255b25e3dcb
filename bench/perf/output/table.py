"""The rows for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

COLORS: Final = {"holds": "green", "does not hold": "bold red", "in doubt": "bold yellow"}


def number(value: float | None) -> str:
    """A figure as short as it can be read."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def outcome(row: Mapping[str, Any]) -> str:
    """`holds`, `does not hold` or `in doubt`; what a row of an older result is by its figures and doubts."""
    told = "in doubt" if row.get("doubts") else "holds" if row["holds"] else "does not hold"
    return str(row.get("verdict", told))


def show(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Print all rows, and below them the targets that were not reached and the notes."""
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for name in ("row", "ours", "reference", "peer", "× reference", "× peer", "spread", "unit", ""):
        table.add_column(name, justify="left" if name in ("row", "unit", "") else "right")
    for row in rows:
        figures = [
            number(row[name]) for name in ("ours", "reference", "peer", "ratio_to_reference", "ratio_to_peer", "spread")
        ]
        mark = Text(outcome(row), COLORS[outcome(row)])
        table.add_row(row["name"], *figures, row["unit"], mark)
    console.print(table)
    for row in rows:
        for verdict in row["targets"]:
            if not verdict["holds"]:
                console.print(Text(f"{row['name']}: {verdict['target']}, measured {number(verdict['measured'])}"))
        for doubt in row.get("doubts", []):
            console.print(Text(f"{row['name']}: in doubt, {doubt}", "bold yellow"))
        if row["note"]:
            console.print(Text(f"{row['name']}: {row['note']}", "yellow"))
