"""A listing is a map: at most twelve entries in a folder, unless all are of one kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import pytest

from tests.architecture.house.tree import PACKAGES, paths

MOST: Final = 12
UNCOUNTED: Final = {"__init__.py", "__main__.py", "Dockerfile"}
"""Each package has them, at the same place."""

HOUSE: Final = (*PACKAGES, "scenarios", "docs")
"""Left out are the tests, found by the name of what they test, and the root, where tools prescribe the names."""

ONE_KIND: Final = {
    "bench/answers/ordering/strategies": "a file is a visibility strategy",
    "bench/faults": "a file is a fault",
    "bench/perf/rows": "a file is a row of `task perf`",
    "docs/decisions": "a file is a decision",
    "migrations/versions": "a file is a step of the schema",
    "projection/ordering": "a file is an ordering strategy",
    "scenarios": "a file is a scenario",
    "todo/read_models": "a file is a read model",
}
"""Folders that may grow, and why each of their entries is like the others."""

SHARED: Final = {"bench/faults": {"relay"}}
"""What their files share, in folders among them."""


def listings(files: Iterable[str]) -> dict[str, set[str]]:
    """What stands in each folder, files and folders."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in files:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            found["/".join(parts[:depth])].add(parts[depth])
    return {folder: entries - UNCOUNTED for folder, entries in found.items()}


def too_long(files: Iterable[str]) -> dict[str, int]:
    """Folders of the house with more entries than a newcomer reads, and how many."""
    return {
        folder: len(entries)
        for folder, entries in listings(files).items()
        if len(entries) > MOST and folder.split("/")[0] in HOUSE and folder not in ONE_KIND
    }


def test_a_listing_is_short() -> None:
    assert too_long(paths()) == {}


@pytest.mark.parametrize("folder", ["bench", "services/api/http", "docs"])
def test_a_long_listing_is_found(folder: str) -> None:
    planted = [f"{folder}/entry{n}.py" for n in range(MOST + 1)]
    assert folder in too_long(planted)
    assert too_long(planted[:MOST]) == {}


def test_folders_that_are_entries_count() -> None:
    assert too_long([f"bench/part{n}/__init__.py" for n in range(MOST + 1)]) == {"bench": MOST + 1}


def test_what_is_of_one_kind_is_there_and_holds_files_of_one_ending() -> None:
    there = listings(paths())
    for folder in ONE_KIND:
        kinds = there[folder] - SHARED.get(folder, set())
        assert len({entry.rsplit(".", 1)[-1] for entry in kinds}) == 1, folder
