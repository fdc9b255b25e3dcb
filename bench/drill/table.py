"""The table of drills for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.drill.document import right_again, taken_over
from bench.drill.repetition import COUNTED

WIDTH: Final = 120
"""What a line needs; where a terminal is narrower it wraps."""
STYLES: Final = {"passed": "bold green", "failed": "bold red", "not hit": "bold yellow"}


def show(console: Console, drills: Sequence[dict[str, Any]]) -> None:
    """One line a drill."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    left = ("drill", "strategy")
    for word in (
        *left,
        "hit",
        "taken over after",
        "right again\nafter the heal",
        "counted",
        "errors",
        "visible p99 ms",
        "verdict",
    ):
        table.add_column(Text(word), justify="left" if word in left else "right", no_wrap=True)
    for one in drills:
        table.add_row(
            one["name"],
            one["strategy"],
            f"{one['hit']} of {one['repetitions']}",
            taken_over(one, "max"),
            right_again(one, "max"),
            str(sum(one[count] or 0 for count in COUNTED)),
            str(one["errors"]),
            " → ".join(_figure(one["visible_p99_ms"][span]) for span in ("before", "during", "after")),
            Text(one["verdict"], style=STYLES[one["verdict"]]),
        )
    # A width given to `print` can only make a table narrower.
    width, console.width = console.width, max(console.width, WIDTH)
    console.print(table)
    console.width = width
    console.print(Text(f"counted: {', '.join(COUNTED).replace('_', ' ')}"), soft_wrap=True)
    for one in drills:
        for run in one["runs"]:
            if run["why"]:
                console.print(Text(f"{one['name']}, seed {run['seed']}, {run['run_id']}: {run['why']}"), soft_wrap=True)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
