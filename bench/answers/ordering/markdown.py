"""The measured table of the docs' page on ordering, put between its marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench import ROOT
from bench.answers.ordering.table import HEADS, cells, headline, verdict
from bench.ends.errors import SetupError
from bench.report.words import machine_line, revision
from metrics.files import write_whole
from metrics.records.answers.ordering import Ordering

PAGE: Final = ROOT / "docs" / "figures" / "ordering.md"
BEGIN: Final = "<!-- measured: begin -->"
END: Final = "<!-- measured: end -->"


def publish(path: Path, document: Ordering) -> None:
    """Replace what stands between the marks. Raises SetupError where the page has none, or can not be written."""
    try:
        page = path.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        _, mark, after = rest.partition(END)
        if not mark:
            raise SetupError("--publish", f"{path} has no {BEGIN} … {END}", "put them where the table belongs")
        write_whole(path, "\n".join([f"{before}{BEGIN}", *_lines(document), f"{END}{after}"]))
    except OSError as error:
        raise SetupError("--publish", f"{path}: {error.strerror}", "make it writable") from error


def published(page: str) -> list[str]:
    """The strategies of the table that a page has."""
    between = page.partition(BEGIN)[2].partition(END)[0]
    return re.findall(r"^\| `([\w.-]+)` \|", between, flags=re.MULTILINE)


def _lines(document: Ordering) -> Iterator[str]:
    yield "| strategy | verdict | " + " | ".join(HEADS) + " |"
    yield "|---|---|" + "--:|" * (len(HEADS) - 2) + "---|---|"
    for row in document["rows"]:
        yield f"| `{row['strategy']}` | {verdict(row)} | " + " | ".join(cells(row)) + " |"
    yield ""
    postgres = document["postgres"]
    yield f"- {headline(document)}"
    yield f"- {machine_line(document['machine'])}"
    yield f"- Postgres {postgres.get('version', 'unknown')}, default settings, `fsync` and `synchronous_commit` on"
    yield f"- revision {revision(document['versions'])}; again: `{command(document)}`"
    for note in (document["why"], *document["doubts"], *document["notes"]):
        if note:
            yield f"- {note}"


def command(document: Ordering) -> str:
    """The command that measures it again."""
    lengths = {"seconds": document["seconds"], "stall": document["stall_s"]}
    counts = {"writers": document["writers"], "rounds": document["rounds"], "seed": document["seed"]}
    options = [f"--{name} {value:g}" for name, value in lengths.items()]
    options += [f"--{name} {value}" for name, value in counts.items()]
    return " ".join(("task bench:ordering --", *options, "--publish"))
