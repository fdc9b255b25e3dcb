"""`python -m bench.perf [ROW … | cost | publish]`: measure rows beside references and peers, in turns.

Without a word: all rows but the long ones, and the cost report. Exit codes: 0 every row holds, 1 some do not or are in
doubt, or the cost is; all others are those of `bench.ends.conclude`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bench import ROOT
from bench.ends.conclude import conclude
from bench.ends.errors import SetupError
from bench.perf import cost, rows
from bench.perf.output import page, results, table
from bench.perf.row import Row, Unmeasured
from bench.perf.trials import Effort, measure
from bench.platforms.postgres.binaries import find_binaries
from metrics.records.record import write_json
from settings import Environment
from settings.command_line.arguments import Parser, a_folder

RESULTS: Final = ROOT / "results" / "perf"
PAGE: Final = ROOT / "docs" / "figures" / "performance.md"
COST: Final = "cost"
PUBLISH: Final = "publish"
MOST: Final = 50
"""Trials of a side."""


def main() -> int:
    """Measure what was asked for. Returns the exit code."""
    return conclude(_act, Unmeasured)


def _act() -> int:
    arguments = _parser().parse_args()
    console = Console(highlight=False)
    known, words = rows.load(), list(arguments.words)
    if arguments.list:
        _list(known, console)
        return 0
    chosen = _choose(words, known, full=arguments.full)
    effort = Effort(_trials(arguments.trials), arguments.quick, arguments.full)
    if chosen or COST in words:
        _refuse_unwritable(arguments.results)
    for row in chosen:
        _measure(row, effort, arguments.results, list(known), console)
    found = results.read(arguments.results)
    shown = [row for row in found["rows"] if row["name"] in {row.name for row in chosen}]
    if shown:
        table.show(console, shown)
    sound = not (COST in words or not words) or _report_cost(arguments, console)
    if arguments.publish or PUBLISH in words:
        _refuse_unpublishable(found, arguments.results)
        page.publish(PAGE, found, cost.read(arguments.results))
        console.print(Text(f"page    {PAGE}"), soft_wrap=True)
    console.print(Text(f"result  {arguments.results / results.FILE}"), soft_wrap=True)
    return 0 if sound and all(table.outcome(row) == "holds" for row in shown) else 1


def _refuse_unpublishable(found: dict[str, Any], folder: Path) -> None:
    needed = ("machine", "versions", "settings", "measured_at")
    if missing := [name for name in needed if name not in found]:
        problem = f"has no {', '.join(missing)}, so there is nothing to publish"
        raise SetupError(str(folder / results.FILE), problem, "measure some rows first: `task perf`")


def _trials(given: str | None) -> int | None:
    if given is None:
        return None
    return Environment({"--trials": str(given)}).integer("--trials", None, low=1, high=MOST)


def _refuse_unwritable(folder: Path) -> None:
    try:
        (folder / "log").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"{folder} can not be written to ({error.strerror})"
        raise SetupError("--results", problem, "make room, or name another folder") from error


def _choose(words: list[str], known: dict[str, Row], *, full: bool) -> list[Row]:
    for word in words:
        if word not in known and word not in (COST, PUBLISH):
            raise SetupError(word, "there is no such row", f"name some of {', '.join([*known, COST, PUBLISH])}")
    if words:
        return [known[word] for word in words if word in known]
    return [row for row in known.values() if full or not row.long]


def _measure(row: Row, effort: Effort, folder: Path, order: list[str], console: Console) -> None:
    with console.status(row.name) as status:
        found = measure(row, effort, folder / "log" / row.name, lambda text: status.update(f"{row.name}: {text}"))
    now = {
        **results.surroundings(find_binaries().version),
        "quick": effort.quick,
        "measured_at": results.moment(),
    }
    found["measured_at"] = now["measured_at"]
    results.write(folder, results.merge(results.read(folder), now, found), order)
    ratio = table.number(found["ratio_to_reference"])
    figures = f"{table.number(found['ours'])} {row.unit}, {ratio} × the reference"
    console.print(Text(f"· {row.name}: {figures}, {table.outcome(found)}"))


def _report_cost(arguments: argparse.Namespace, console: Console) -> bool:
    """Whether it is out of doubt."""
    with console.status("cost"):
        found = cost.measure(arguments.results / "log" / COST, quick=arguments.quick)
    write_json(arguments.results / cost.FILE, found)
    cost.show(console, found)
    return not found["doubts"]


def _list(known: dict[str, Row], console: Console) -> None:
    for row in known.values():
        targets = "; ".join(target.words(row.unit) for target in row.targets)
        console.print(Text(f"{row.name:<18}{row.title}{' (long)' if row.long else ''}: {targets}"), soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m bench.perf", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="ROW", help=f"rows by name, {COST}, {PUBLISH} (default: all rows)")
    parser.add_argument("--list", action="store_true", help="name the rows and their targets")
    parser.add_argument("--trials", metavar="N", help="how often each side is measured (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one trial with tiny sizes: shows that it works, no more")
    parser.add_argument("--full", action="store_true", help="the long rows too, and their long sizes")
    parser.add_argument("--publish", action="store_true", help=f"write {PAGE.relative_to(ROOT)} at the end")
    parser.add_argument("--results", type=a_folder, default=RESULTS, help="where results go (default: results/perf)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
