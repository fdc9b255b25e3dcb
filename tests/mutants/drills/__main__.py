"""Play mutants, each under its drill and beside the same drill without it, and print what was found.

The exit code is 0 where every mutant was caught and every drill without one passed, else 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from rich.console import Console
from rich.table import Table

from metrics.records.record import write_json
from tests.mutants.drills.judgement import Finding, Played, green, judge
from tests.mutants.drills.pairs import PAIRS, Pair
from tests.mutants.drills.play import play

FILE: Final = "mutants.json"


class Play(Protocol):
    """Plays a drill, with a mutant in it or without."""

    def __call__(self, pair: Pair, results: Path, *, mutant: bool) -> Played: ...


@dataclass(frozen=True)
class Outcome:
    """A mutant's drill, and the same without it."""

    pair: Pair
    finding: Finding
    control: Played

    @property
    def right(self) -> bool:
        """The drill tells them apart."""
        return self.finding.caught and green(self.control)

    def told(self) -> dict[str, Any]:
        """As `mutants.json` has it."""
        return {
            "mutant": self.pair.mutant,
            "drill": self.pair.drill,
            "found": self.finding.by,
            "caught": self.finding.caught,
            "without": self.control.verdict,
        }


def main(words: Sequence[str], console: Console, played: Play) -> int:
    """Play them one after another."""
    told = _arguments(words)
    chosen = [pair for pair in PAIRS if not told.mutants or pair.key in told.mutants]
    with ExitStack() as opened:
        scratch = told.results or opened.enter_context(tempfile.TemporaryDirectory(prefix="tidemark-mutants-"))
        results = Path(scratch)
        outcomes = [_outcome(pair, results, console, played) for pair in chosen]
        if told.results:
            write_json(results / FILE, [outcome.told() for outcome in outcomes])
    console.print(_table(outcomes))
    return 0 if all(outcome.right for outcome in outcomes) else 1


def _outcome(pair: Pair, results: Path, console: Console, played: Play) -> Outcome:
    """Both drills. What is not as it should be is shown whole."""
    with console.status(f"{pair.mutant}: {pair.drill} with it"):
        with_it = played(pair, results, mutant=True)
    with console.status(f"{pair.mutant}: {pair.drill} without it"):
        control = played(pair, results, mutant=False)
    outcome = Outcome(pair, judge(pair, with_it), control)
    for one, fine in ((with_it, outcome.finding.caught), (control, green(control))):
        if not fine:
            console.print(one.said, markup=False, highlight=False)
    state = "caught" if outcome.finding.caught else "NOT CAUGHT"
    console.print(f"{pair.mutant}, under {pair.drill}: {state}; without it: {control.verdict}", highlight=False)
    return outcome


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for word in ("mutant", "drill", "found", "caught", "without it"):
        table.add_column(word)
    for one in outcomes:
        caught = "yes" if one.finding.caught else "NO"
        table.add_row(one.pair.mutant, one.pair.drill, one.finding.by or "nothing", caught, one.control.verdict)
    return table


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="task drill:mutants --", description=__doc__)
    known = [pair.key for pair in PAIRS]
    parser.add_argument("mutants", nargs="*", metavar="NAME", help=f"some of {', '.join(known)} (default: all)")
    parser.add_argument("--results", type=Path, help=f"where bundles and {FILE} are kept (default: nowhere)")
    told = parser.parse_args(words)
    if unknown := set(told.mutants) - set(known):
        parser.error(f"there is no mutant {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Console(), play))
