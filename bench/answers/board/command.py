"""`python -m bench board`: one static page from published results and bundles; `--publish RUN` makes such a result."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from bench import ROOT
from bench.answers.board import comparison
from bench.answers.board.gather import Gathered, gather, of_targets
from bench.answers.board.page import headline, render
from bench.answers.board.publish import publish
from bench.answers.board.rows import plain, tables
from bench.bundle.folder import LATEST, RESULTS, new_id
from bench.bundle.leave import leave
from bench.bundle.reading import refusing
from bench.ends.conclude import SOUND
from bench.ends.errors import SetupError
from metrics.files import write_whole
from metrics.reading import read
from metrics.records.answers import targets as sittings
from metrics.records.answers.board import FILE, SCHEMA, Board

INDEX: Final = "board/index.html"
COMPARISON: Final = ROOT / "docs" / "comparison.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked for, with the defaults."""
    of = "published results, bundles, or folders with either (default: the folder of results)"
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=of)
    parser.add_argument(
        "--publish", type=Path, metavar="RUN", help="write the publishable half of this bundle, to commit"
    )
    parser.add_argument(
        "--drills", action="append", default=[], type=Path, metavar="FOLDER", help="publish these with it"
    )
    parser.add_argument("--anyway", action="store_true", help="publish though its figures are in doubt")


def board(arguments: argparse.Namespace, console: Console) -> int:
    """Make the page, or publish a bundle."""
    if arguments.publish is not None:
        path = publish(arguments.publish, arguments.drills, arguments.results, anyway=arguments.anyway)
        console.print(Text(f"published {path}: look at it, and commit it"), soft_wrap=True)
        return SOUND
    if arguments.drills or arguments.anyway:
        raise SetupError("--drills" if arguments.drills else "--anyway", "belongs to --publish RUN", "name the run")
    for path in arguments.paths:
        if not path.exists():
            raise SetupError(str(path), "there is no such file or folder", "name results, or leave it out")
    found = gather(arguments.paths or [arguments.results])
    return _leave(found, arguments.results / new_id("board"), console)


def _leave(found: Gathered, folder: Path, console: Console) -> int:
    ranked = tables(found.runs.values())
    left_out = [(plain(file), plain(why)) for file, why in found.left_out]
    told: Board = {"schema": SCHEMA, "board_id": folder.name, "tables": ranked, "left_out": left_out}
    if missing := leave(folder, FILE, told, render(ranked, left_out, folder.name), at=INDEX):
        raise SetupError("--results", f"could not be written ({missing})", "make room")
    for file, why in left_out:
        console.print(Text(f"left out: {file}: {why}"), soft_wrap=True)
    said = headline([row for table in ranked for row in table["rows"]])
    console.print(Text(f"board   {said}\npage    {folder / INDEX}", style="bold"), soft_wrap=True)
    return SOUND


def add_comparison(parser: argparse.ArgumentParser) -> None:
    """What the page of a sitting can be made from."""
    last = ROOT / RESULTS / LATEST
    parser.add_argument(
        "folder", nargs="?", type=Path, default=last, help="of bench:targets (default: the last answer)"
    )
    parser.add_argument(
        "--drills", action="append", default=[], type=Path, metavar="FOLDER", help="drills of its targets"
    )
    parser.add_argument("--to", type=Path, default=COMPARISON, metavar="FILE", help="default: docs/comparison.md")


def compare(arguments: argparse.Namespace, console: Console) -> int:
    """Write the page of a sitting."""
    with refusing():
        document = read(arguments.folder / sittings.FILE, sittings.Targets, schema=sittings.SCHEMA)
        drilled = [each for folder in arguments.drills for each in of_targets(folder)]
    try:
        write_whole(arguments.to, comparison.render(document, drilled))
    except OSError as error:
        raise SetupError(str(arguments.to), f"can not be written: {error.strerror}", "make room") from error
    console.print(Text(f"written {arguments.to}"), soft_wrap=True)
    return SOUND
