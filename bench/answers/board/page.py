"""The board: one static page, a pure function of its rows. Its filters are kept in the address, by a script of its own.

Whatever a result of somebody else says is text: the template escapes it, and the page's policy lets no script run but
the one whose digest it names.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.answers.board.rows import KINDS
from bench.answers.targets.document import COLUMNS
from bench.report.page import page, source
from metrics.records.sections.target import UNSEEN

SCRIPT: Final = "board/board.js"
FILTERS: Final = (
    ("target", "Target"),
    ("class", "Class"),
    ("state", "Verdict"),
    ("proof", "Proof"),
    ("scenario", "Scenario"),
    ("mode", "Mode"),
)
SAID: Final[Mapping[str, str]] = {
    "documented": "Run the best way that the framework's own documentation tells.",
    "as shipped": "Run as the framework's own sample does.",
    "tuned": "Run with settings that somebody chose for the measurement, with the reason.",
    "reference": "Nothing is kept: what HTTP and the load generator cost, to read the other rows by. Not ranked.",
}


def render(tables: Sequence[Mapping[str, Any]], left_out: Sequence[tuple[str, str]], board_id: str) -> str:
    """The page."""
    rows = [(table, row) for table in tables for row in table["rows"]]
    return page(
        "board/index.html",
        policy=policy(),
        headline=headline([row for _, row in rows]),
        verdict=_verdict([row for _, row in rows]),
        classes=[
            (kind, SAID[kind], [table for table in tables if table["kind"] == kind])
            for kind in KINDS
            if any(table["kind"] == kind for table in tables)
        ],
        columns=COLUMNS,
        filters=[(name, title, _choices(name, rows)) for name, title in FILTERS],
        unseen=UNSEEN,
        left_out=left_out,
        footer=board_id,
    )


def _verdict(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Its tone, and its word."""
    states = {row["state"] for row in rows}
    if "wrong" in states:
        return "bad", "Not all are correct"
    if "correct" not in states:
        return "open", "Nothing is judged" if rows else "Empty"
    return ("open", "Correct, in doubt") if any(row["doubt"] for row in rows) else ("good", "Correct")


def headline(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many are correct, and how many are not."""
    if not rows:
        return "no results: run `task bench:targets`, or name files of results."
    counts = {name: sum(row["state"] == name for row in rows) for name in ("correct", "wrong", "not judged")}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    targets = len({row["target"] for row in rows})
    return f"{told}, of {targets} target{'s' * (targets != 1)}. Only correct results have numbers."


def policy() -> str:
    """What the page may do: use its own styles, and run the one script."""
    digest = base64.b64encode(hashlib.sha256(source(SCRIPT).encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"


def _choices(name: str, rows: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    of_table = {"class": "kind", "scenario": "title"}
    return sorted({str(table[of_table[name]] if name in of_table else row[name]) for table, row in rows})
