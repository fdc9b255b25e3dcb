"""Verdict and proof: what was proven by which level, how much was looked at, and what that level can not see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.report.words import WORDS, took, whole
from metrics.records.result import Result
from metrics.records.sections.target import UNSEEN

CHECKS: Final = (
    ("lost", "events that never took effect"),
    ("duplicated", "events that took effect more than once"),
    ("reordered", "events that took effect after a later one of their stream"),
    ("phantom", "effects without an event"),
    ("mismatched_rows", "rows and counters that differ from the fold of the events"),
)
SEEN: Final = {
    "store": (
        "The tables of the store were read: independent code folded every event again, walked the audit of the "
        "projection, and compared rows and counters; and every acknowledged write was read back over HTTP."
    ),
    "log": (
        "The log was read over HTTP and every event folded again, against every page of the read model; and every "
        "acknowledged write was read back."
    ),
    "read-back": "Every acknowledged write was read back over HTTP.",
}


def verdict(result: Result, *, sound: bool) -> dict[str, Any]:
    """The word, its tone, the headline, and the doubts that stand in it."""
    doubts = result.doubts
    word = WORDS[result.verdict]
    if sound and doubts:
        word = f"{word}, with {'a doubt' if len(doubts) == 1 else f'{len(doubts)} doubts'}"
    tone = "bad"
    if sound:
        tone = "open" if doubts else "good"
    elif result.verdict in ("timed_out", "blocked"):
        tone = "open"
    return {"word": word, "tone": tone, "headline": _headline(result, sound), "doubts": doubts}


def proof(result: Result, not_seen: str = "") -> dict[str, Any]:
    """What the level of proof of the result looked at, check by check, and what it can not see, or could not here."""
    level = result.proof
    return {"level": level, "seen": SEEN[level], "unseen": not_seen or UNSEEN[level], "checks": _checks(result, level)}


def _headline(result: Result, sound: bool) -> str:
    checked = result.correctness
    if sound:
        again = f"{whole(checked.acknowledged_checked)} acknowledged writes read back: no fault. "
        if checked.events_checked:
            again = f"{whole(checked.events_checked)} events folded again and {again}"
        return f"{again}In step {took(result.convergence)} after the last write."
    if result.sound:
        return "Measured with the test profile of Postgres, which a report does not publish."
    return "This run gives no results. Why:"


def _checks(result: Result, level: str) -> list[dict[str, Any]]:
    found: Mapping[str, Any] = result.correctness.to_dict()
    folds = [] if level == "read-back" else CHECKS
    checks = [
        {"name": name.replace("_", " "), "meaning": text, "looked_at": found["events_checked"], "faults": found[name]}
        for name, text in folds
    ]
    missing = {"name": "acknowledged, then missing", "meaning": "acknowledged writes that a final read over HTTP lacks"}
    told = {"looked_at": found["acknowledged_checked"], "faults": found["acknowledged_missing"]}
    return [*checks, {**missing, **told}]
