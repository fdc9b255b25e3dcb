"""Which worker of pytest-xdist has which tests, and when: what costs seconds is made once, and nothing long comes last.

By itself `--dist loadfile` begins with the files that have the most tests. The longest have the fewest: whole runs of
the bench, which then ran all at once, at the end, when nothing was left to run beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from xdist.scheduler import LoadFileScheduling

AS_ONE: Final = ("tests/architecture/house/", "tests/integration/influx/", "tests/perf_guard/", "tests/plans/")
"""Folders whose files share what costs seconds, a fixture or the tree as Python reads it: one worker makes it once."""

LONG: Final = "tests/acceptance/"
"""Whole runs: they wait as much as they work, so each goes beside tests that only work."""

T = TypeVar("T")


def scope(nodeid: str) -> str:
    """What goes to one worker: a file, or a folder of `AS_ONE`."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in AS_ONE if file.startswith(folder)), file)


def spread(scopes: Mapping[str, Sequence[T]]) -> list[T]:
    """All items, the `LONG` scopes evenly among the first two thirds of the others; nothing else is moved."""
    long = [found for name, found in scopes.items() if name.startswith(LONG)]
    others = [found for name, found in scopes.items() if not name.startswith(LONG)]
    apart = sum(map(len, others)) * 2 / 3 / max(len(long), 1)
    placed: list[T] = []
    done, due = 0, 0.0
    for found in others:
        while long and done >= due:
            placed += long.pop(0)
            due += apart
        placed += found
        done += len(found)
    return [*placed, *(item for found in long for item in found)]


class ByScope(LoadFileScheduling):  # type: ignore[misc]
    """`--dist loadfile`, by `scope`."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)
