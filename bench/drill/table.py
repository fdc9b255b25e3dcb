"""The table of drills for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.drill.document import errors, right_again, stalled, taken_over, wrong
from bench.drill.repetition import AROUND, COUNTED
from bench.report.words import spoken
from metrics.records.answers.drills import Drill, Drills, NotApplicable

WIDTH: Final = 190
"""What a line needs; where a terminal is narrower it wraps."""
STYLES: Final = {"passed": "bold green", "failed": "bold red", "not hit": "bold yellow"}
COLUMNS: Final = (
    *("drill", "strategy", "hit", "taken over\nafter", "stall", "right again\nafter the heal", "counted", "blocked"),
    *("errors", "visible p99 ms\nbefore → during → after", "verdict"),
)
_TEXTS: Final = ("drill", "strategy", "errors", "verdict")


def show(console: Console, document: Drills) -> None:
    """One line a drill, what does not apply and why, what was wrong and how to have it again, and the time it took."""
    drills = document["drills"]
    if drills:
        # A width given to `print` can only make a table narrower.
        width, console.width = console.width, max(console.width, WIDTH)
        console.print(_table(drills))
        console.width = width
        console.print(Text(f"counted: {', '.join(COUNTED).replace('_', ' ')}"), soft_wrap=True)
    for line in (*_not_applicable(document.get("not_applicable", [])), *_failed(drills), headline(document)):
        console.print(Text(line), soft_wrap=True)


def headline(document: Drills) -> str:
    """How many passed, what was counted in all repetitions and what their proof can not see, and how long that took."""
    drills = document["drills"]
    passed = sum(each["verdict"] == "passed" for each in drills)
    runs, faults = sum(each["repetitions"] for each in drills), sum(map(wrong, drills))
    unseen = _unseen(drills)
    nothing = "nothing that is seen is wrong" if unseen else "nothing was lost, doubled or reordered"
    lost = f"{faults} events or rows are wrong" if faults else nothing
    in_all = "1 run" if runs == 1 else f"{runs} runs"
    told = [f"{passed} of {len(drills)} drills passed; {lost} in {in_all}"]
    told += [f"{', '.join(unseen)} can not be seen by its proof"] if unseen else []
    told += [f"{len(found)} did not apply"] if (found := document.get("not_applicable")) else []
    told += [why] if (why := document.get("why")) else []
    told += [f"in {spoken(took_s)}"] if (took_s := document.get("took_s")) else []
    return f"{'; '.join(told)}."


def _unseen(drills: Sequence[Mapping[str, Any]]) -> list[str]:
    """What no repetition could count."""
    return [name for name in COUNTED if drills and all(each[name] is None for each in drills)]


def _table(drills: Sequence[Drill]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for word in COLUMNS:
        table.add_column(Text(word), justify="left" if word in _TEXTS else "right", no_wrap=True)
    for one in drills:
        table.add_row(
            one["name"],
            one["strategy"],
            f"{one['hit']} of {one['repetitions']}",
            taken_over(one, "max"),
            stalled(one, "max"),
            right_again(one, "max"),
            str(wrong(one)),
            str(one["blocked"]),
            errors(one) or "0",
            _around(one),
            Text(one["verdict"], style=STYLES[one["verdict"]]),
        )
    return table


def _around(drill: Mapping[str, Any]) -> str:
    values = (drill["visible_p99_ms"][when] for when in AROUND)
    return " → ".join("–" if value is None else f"{value:,.0f}" for value in values)


def _not_applicable(found: Sequence[NotApplicable]) -> Iterator[str]:
    """Strategies of one fault and reason on one line."""
    for name, why in dict.fromkeys((one["name"], one["why"]) for one in found):
        under = ", ".join(one["strategy"] for one in found if (one["name"], one["why"]) == (name, why))
        yield f"{name} ({under}) does not apply: {why}"


def _failed(drills: Sequence[Drill]) -> Iterator[str]:
    for one in drills:
        for run in one["runs"]:
            if run["why"]:
                yield f"{one['name']}, {one['strategy']}, seed {run['seed']}, {run['run_id']}: {run['why']}"
            if again := run.get("replay"):
                yield f"  again: {again}"
