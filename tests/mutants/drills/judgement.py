"""What a played drill says of a mutant, by its entry in `drills.json`: caught by what names the defect, and else not.

A run that is red for anything else (it was not back in time, it could not be judged) has found nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.mutants.drills.pairs import Pair

COUNTED: Final = ("lost", "doubled", "reordered", "phantom", "wrong_rows")


@dataclass(frozen=True)
class Played:
    """How a drill ended: its exit code, its words, and its entry in `drills.json`, empty where it left none."""

    code: int
    said: str
    drill: Mapping[str, Any] = field(default_factory=dict)

    @property
    def counted(self) -> dict[str, int]:
        """What the oracle counted, without what it did not."""
        return {name: count for name in COUNTED if (count := self.drill.get(name) or 0)}

    @property
    def reasons(self) -> list[str]:
        """Why its repetitions failed, in the words of each."""
        return [run["why"] for run in self.drill.get("runs", ()) if run["why"]]

    @property
    def verdict(self) -> str:
        """That of the drill."""
        return str(self.drill.get("verdict", f"no verdict: exit code {self.code}"))


@dataclass(frozen=True)
class Finding:
    """Whether a mutant was caught, and by what, in words; empty words where nothing was found."""

    caught: bool
    by: str


def judge(pair: Pair, played: Played) -> Finding:
    """Caught where the drill is red for a count that names the defect, or by a reason that does. Pure."""
    told = [f"{name.replace('_', ' ')} {count:,}" for name, count in played.counted.items()]
    named = [why for why in played.reasons if pair.named and re.search(pair.named, why)]
    if named:
        told.append(f"{played.drill.get('blocked', 0)} run(s) blocked though nothing was poison")
    found = bool(pair.finds & played.counted.keys()) or bool(named)
    return Finding(found and played.code == 1 and played.verdict == "failed", ", ".join(told))


def green(played: Played) -> bool:
    """Whether the drill passed: it hit, nothing is wrong, and the system came back. Pure."""
    return played.code == 0 and played.verdict == "passed" and not played.counted and played.drill.get("hit", 0) > 0
