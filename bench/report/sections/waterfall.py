"""The waterfall of an event: commit, noticed, claimed, committed, read; each part begins where the last one ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.report.words import milliseconds

PARTS: Final = (
    ("commit_to_noticed", "commit to noticed", "until a projector heard of it"),
    ("noticed_to_claimed", "noticed to claimed", "until it held the stream's lease"),
    ("claimed_to_committed", "claimed to committed", "until the effect was committed"),
    ("committed_to_read", "committed to read", "until a read showed it"),
)
UNTOLD: Final = "the steps of an event were not sampled in this run"
SHOWN: Final = ("p50", "p95", "p99")


def waterfall(section: Mapping[str, Any] | None) -> dict[str, Any]:
    """Rows with a bar each, drawn by `by` (the mean where it is known, for means add up; else the median)."""
    found = section or {}
    known = [found[key] for key, _, _ in PARTS if found.get(key)]
    if not known:
        return {"rows": [], "reason": found.get("reason") or UNTOLD}
    by = "mean" if all(part.get("mean") is not None for part in known) else "p50"
    total = sum(part.get(by) or 0.0 for part in known)
    rows, begun = [], 0.0
    for key, name, about in PARTS:
        part = found.get(key) or {}
        took = part.get(by)
        row = {"name": name, "meaning": about, "told": took is not None}
        row["values"] = [_told(part.get(each)) for each in (by, *SHOWN) if each != by or by == "mean"]
        row["left"], row["width"] = (round(100 * each / total, 2) if total else 0 for each in (begun, took or 0.0))
        rows.append(row)
        begun += took or 0.0
    head = ["mean", *SHOWN] if by == "mean" else list(SHOWN)
    return {"rows": rows, "reason": "", "by": by, "head": head, "total": milliseconds(total)}


def _told(value: float | None) -> str:
    return "–" if value is None else milliseconds(value)
