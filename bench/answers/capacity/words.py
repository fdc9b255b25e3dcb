"""What a search found, in words: the same on the terminal, in the document and in the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.answers.capacity.search import CHECKS, CONFIRMATIONS, Answer
from bench.report.words import milliseconds, whole
from metrics.records.answers.capacity import UNIT, Curve, Rung

WHY_OPEN: Final = {
    "budget": "the time was over",
    "generator": "the load generator was at its end first",
    "most": "no higher rate was asked for",
    "least": "no lower rate was asked for",
    "doubts": "the trials were doubtful",
    "void": "a run gave no figures",
    "interrupted": "the search was broken off",
}


def name(curve: Curve) -> str:
    """Strategy and projectors."""
    return f"{curve['strategy']}, {replicas(curve['projectors'])}"


def replicas(projectors: int) -> str:
    """`1 projector`, `4 projectors`; a target may have none."""
    if projectors == 0:
        return "no projector of its own"
    return f"{projectors} projector{'' if projectors == 1 else 's'}"


def rate(value: float) -> str:
    """A rate without its unit."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def interval(answer: Answer) -> str:
    """`[620, 682] requests/s`, `at least …`, `less than …`."""
    if answer.holds is None:
        return f"less than {rate(answer.fails)} {UNIT}" if answer.fails else "not known"
    if answer.fails is None:
        return f"at least {rate(answer.holds)} {UNIT}"
    return f"holds at {rate(answer.holds)}, fails at {rate(answer.fails)} {UNIT}"


def sentence(answer: Answer) -> str:
    """The interval, and what of it could not be confirmed."""
    said = interval(answer)
    if answer.end == "found":
        return said
    lacking = []
    if answer.holds is not None and answer.confirmed < CONFIRMATIONS:
        lacking.append(f"{answer.confirmed} of {CONFIRMATIONS} confirmations")
    if answer.fails is not None and answer.holds is not None and answer.checked < CHECKS:
        lacking.append(f"{answer.checked} of {CHECKS} failures beyond")
    because = WHY_OPEN[answer.end]
    return f"{said}; {because}{' after ' + ' and '.join(lacking) if lacking else ''}"


def figures(rung: Rung) -> str:
    """What was measured at a rung, in one line."""
    visible = "–" if rung["visible_p99_ms"] is None else f"{milliseconds(rung['visible_p99_ms'])} ms"
    return f"visible p99 {visible}, backlog {slope(rung)}, {whole(rung['actions_per_s'])} actions/s"


def slope(rung: Rung) -> str:
    """The slope of the backlog with its interval."""
    if rung["slope"] is None or rung["slope_low"] is None or rung["slope_high"] is None:
        return "–"
    return f"{rung['slope']:+,.1f}/s ({rung['slope_low']:+,.0f} to {rung['slope_high']:+,.0f})"


def told(rung: Rung) -> str:
    """The outcome with its reasons."""
    return rung["outcome"] + (f": {'; '.join(rung['reasons'])}" if rung["reasons"] else "")


def loads(document: Mapping[str, Any], strategy: str) -> list[str]:
    """Replicas by load, for one strategy, as clauses."""
    bands = [band for band in document["replicas_by_load"] if band["strategy"] == strategy]
    said = [f"up to {rate(band['up_to'])} {UNIT}: {replicas(band['projectors'])}" for band in bands]
    return [*said, "above: not shown"] if said else [f"no rate was confirmed {CONFIRMATIONS} times"]
