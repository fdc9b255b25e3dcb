"""Gather what a board shows: published files, and bundles below a folder of results. What can not be used is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Final

from bench.answers.board.publish import figures, publishable, read_drills
from metrics.reading import BadDocument, read
from metrics.records.answers import drills, published
from metrics.records.answers.drills import Drill
from metrics.records.answers.published import Published

LARGEST: Final = 2 * 1024 * 1024
"""Bytes of a published file: ten times what a run leaves."""
MOST: Final = 5000
"""Files and bundles of one page."""


@dataclass
class Gathered:
    """Each run once, and why anything was left out, by its place."""

    runs: dict[str, Published] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def add(self, one: Published) -> None:
        """A run that is there is the same, published or as its bundle; the one with drills is told more."""
        known = self.runs.get(one.result.run_id)
        if known is None or (one.drills and not known.drills):
            self.runs[one.result.run_id] = one


def gather(paths: Sequence[Path]) -> Gathered:
    """What these files and folders have. A folder is a bundle, or one of results with bundles and targets in it."""
    found = Gathered()
    files = (file for path in paths for file in _files(path))
    for file in islice(files, MOST):
        _take(file, found)
    if (more := next(files, None)) is not None:
        found.left_out.append((more.name, f"it comes after the first {MOST} files and bundles; name fewer folders"))
    for path in paths:
        for folder in _with_drills(path):
            _join(folder, found)
    return found


def _files(path: Path) -> Iterator[Path]:
    """Bundles as folders, published results as files."""
    if not path.is_dir() or (path / "result.json").exists():
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry.is_symlink() or entry.name.startswith("."):
            continue
        if (entry / "result.json").exists():
            # A run with a fault is a drill's, or somebody's look at a takeover: its figures are of that.
            if not (entry / "fault.json").exists():
                yield entry
        elif entry.is_dir() and not _an_answer(entry):
            yield from sorted(entry.glob("*.json"))
        elif entry.suffix == ".json":
            yield entry


def _an_answer(folder: Path) -> bool:
    """The folder of a command that ran trials, or of a run that was broken off: `20261126-…`; or of `task perf`."""
    return folder.name[:8].isdigit() or folder.name == "perf"


def _take(path: Path, found: Gathered) -> None:
    try:
        if path.is_dir():
            one = publishable(path)
        elif path.exists() and path.stat().st_size > LARGEST:
            raise BadDocument(path, f"is larger than {LARGEST // 1024} KiB")
        else:
            one = read(path, Published, schema=published.SCHEMA)
    except BadDocument as bad:
        found.left_out.append((f"{path.parent.name}/{path.name}", bad.problem))
    except OSError as error:
        found.left_out.append((f"{path.parent.name}/{path.name}", f"can not be read: {error.strerror}"))
    else:
        found.add(one)


def _with_drills(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for entry in (path, *sorted(path.iterdir())):
            if not entry.is_symlink() and (entry / drills.FILE).is_file():
                yield entry


def of_targets(folder: Path) -> list[tuple[str, Drill]]:
    """The drills of a folder with the name of the target that they were of. Raises BadDocument."""
    document = read_drills(folder)
    return [(document["target"]["name"], figures(drill)) for drill in document["drills"]]


def _join(folder: Path, found: Gathered) -> None:
    """Give each drill to the runs of the target that its repetitions were of, under the same strategy."""
    try:
        whose = of_targets(folder)
    except BadDocument as bad:
        found.left_out.append((f"{folder.name}/{drills.FILE}", bad.problem))
        return
    for run_id, one in found.runs.items():
        same = [drill for name, drill in whose if (name, drill["strategy"]) == _subject(one)]
        found.runs[run_id] = replace(one, drills=[*one.drills, *(each for each in same if each not in one.drills)])


def _subject(one: Published) -> tuple[str, str]:
    return one.result.target["name"], one.result.strategy
