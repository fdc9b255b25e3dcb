"""Figures of `docs/figures/performance.md`, found by the start of a row's title and the name of the figure."""

from __future__ import annotations

import re
from typing import Final

from bench import ROOT

PAGE: Final = ROOT / "docs" / "figures" / "performance.md"
COLUMNS: Final = ("ours", "reference", "peer", "× reference", "× peer", "spread")
COST: Final = "cost"
"""The name of a figure in *What an event costs*, whose lines have one figure each."""
_NUMBER: Final = r"(\d[\d,]*(?:\.\d+)?(?:e-?\d+)?)"


def figure(page: str, row: str, name: str) -> float | None:
    """A figure of a row: COST, one of COLUMNS, or one of *ours in detail*; None where the page does not have it."""
    if name == COST:
        return _read(re.search(rf"^\| {re.escape(row)} \| {_NUMBER} \|", page, re.MULTILINE))
    if name in COLUMNS:
        cells = re.search(rf"^\| {re.escape(row)}[^|]*((?:\| [^|]+ ){{6}})\|", page, re.MULTILINE)
        column = cells.group(1).split("|")[1 + COLUMNS.index(name)].strip() if cells else ""
        return _read(re.fullmatch(_NUMBER, column))
    section = re.search(rf"^### {re.escape(row)}.*\n((?:(?!#).*\n)*)", page, re.MULTILINE)
    detail = re.search(r"^- ours in detail: (.*)$", section.group(1), re.MULTILINE) if section else None
    return _read(re.search(rf"(?:^|, ){re.escape(name)} {_NUMBER}(?=, |$)", detail.group(1))) if detail else None


def _read(found: re.Match[str] | None) -> float | None:
    return float(found.group(1).replace(",", "")) if found else None
