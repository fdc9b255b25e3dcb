"""Rows of a board: runs of one target under one configuration in one row, and rows that may be ranked in one table.

A row with a run that is wrong has what is wrong, and no numbers. Otherwise its numbers are medians of its correct runs.
Ranked beside each other are rows of one class, scenario, load, machine and method.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, Final, Literal

from bench.answers.board.publish import TEST_PROFILE, doubts, of_test_profile
from bench.answers.board.takeover import takeover
from bench.answers.targets.document import COLUMNS
from bench.compare.metrics import Metric
from bench.compare.statistics.pairs import Value, median
from bench.compare.words import SIGNS, number
from bench.preflight.description import LIKENESS
from bench.report.words import machine_line, setting_text
from metrics.records.answers.published import Published
from metrics.records.result import Result
from metrics.records.verification import Verification
from settings import strategies

State = Literal["correct", "wrong", "not judged"]
CLASSES: Final = ("documented", "as shipped", "tuned")
KINDS: Final = (*CLASSES, "reference")
"""What rows stand under: their class, or that they keep nothing and are not ranked."""
LOAD: Final = (
    *("VUS", "RATE", "DURATION", "WRITE_RATIO", "THINK_TIME_MS", "SKEW", "HOLD", "HANDLER_LATENCY_MS"),
    "SCENARIO_TEXT",
)
"""Settings that make two loads unlike; SCENARIO_TEXT is the digest of a scenario of one's own."""
PROCESSES: Final = (("PROJECTORS", "projectors"), ("API_PROCESSES", "API processes"))
"""Settings of a target, which another may not have, and what they are called in its row."""
_WORDS: Final = 240
"""Characters of a text of somebody else that are shown."""
_HUGE: Final = 1e12


def plain(text: str, most: int = _WORDS) -> str:
    """A text of somebody else on one line, without signs that hide or turn others, and not longer than this."""
    seen = "".join(sign if sign.isprintable() else " " for sign in text)
    line = " ".join(seen.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def state(half: Published) -> tuple[State, str]:
    """Whether a run is correct, and what is wrong, or why it was not judged."""
    result = half.result
    if of_test_profile(half):
        return "not judged", TEST_PROFILE
    if result.sound:
        return "correct", ""
    if result.verdict == "invalid":
        return "not judged", result.why or "no reason was given"
    counted = result.correctness.to_dict()
    names = ("lost", "duplicated", "reordered", "phantom", "mismatched_rows", "acknowledged_missing")
    found = ", ".join(f"{name.replace('_', ' ')} {counted[name]:,}" for name in names if counted[name])
    said = "; ".join(part for part in (result.verdict.replace("_", " "), found, result.why) if part)
    return "wrong", said


def tables(runs: Iterable[Published]) -> list[dict[str, Any]]:
    """Tables of what may be ranked, by class; those with more targets first. Each has its rows, the best first."""
    grouped: defaultdict[tuple[Any, ...], list[Published]] = defaultdict(list)
    for half in runs:
        grouped[_conditions(half)].append(half)
    made = [_table(halves) for halves in grouped.values()]
    return sorted(made, key=lambda one: (KINDS.index(one["kind"]), -one["targets"], -one["runs"], one["title"]))


def _conditions(half: Published) -> tuple[Any, ...]:
    result, machine = half.result, half.machine
    alike = tuple(str(machine.get(name)) for name in LIKENESS)
    load = tuple(str(result.settings.get(name)) for name in LOAD)
    return (_kind(result), result.scenario, result.platform, result.method, alike, load)


def _table(halves: Sequence[Published]) -> dict[str, Any]:
    first = halves[0]
    grouped: defaultdict[tuple[Any, ...], list[Published]] = defaultdict(list)
    for half in halves:
        grouped[_configuration(half)].append(half)
    rows = sorted((_row(each) for each in grouped.values()), key=_rank)
    settings = first.result.settings
    load = [f"{name}={setting_text(settings[name])}" for name in LOAD if settings.get(name) is not None]
    return {
        "kind": _kind(first.result),
        "title": plain(first.result.scenario, 60),
        "machine": plain(machine_line(first.machine), 120),
        "platform": plain(first.result.platform, 40),
        "method": plain(first.result.method, 20),
        "load": plain(" ".join(load)),
        "rows": rows,
        "targets": len({row["target"] for row in rows}),
        "runs": len(halves),
    }


def _kind(result: Result) -> str:
    return "reference" if result.target.get("reference") else result.target["class"]


def _configuration(half: Published) -> tuple[Any, ...]:
    result = half.result
    return (
        *(result.target["name"], result.target["version"], result.mode, result.strategy, result.handler),
        *(result.proof, *(str(result.settings.get(name)) for name, _ in PROCESSES)),
    )


def _rank(row: Mapping[str, Any]) -> tuple[Any, ...]:
    order: tuple[State, ...] = ("correct", "wrong", "not judged")
    return (order.index(row["state"]), -(row["values"][COLUMNS[0].name] or 0.0), row["target"])


def _row(halves: Sequence[Published]) -> dict[str, Any]:
    judged = [(half, *state(half)) for half in halves]
    wrong = [(half, said) for half, found, said in judged if found == "wrong"]
    correct = [half for half, found, _ in judged if found == "correct"]
    found: State = "wrong" if wrong else "correct" if correct else "not judged"
    undoubted = [half for half in correct if not any(doubts(half))]
    of = [] if wrong else undoubted or correct
    medians = {column.name: _median(_value(column, half) for half in of) for column in COLUMNS}
    values = {name: middle.value if middle else None for name, middle in medians.items()}
    newest = max(halves, key=lambda half: (half.measured_on, half.result.run_id))
    result = newest.result
    return {
        "state": found,
        "target": plain(result.target["name"], 60),
        "version": plain(result.target["version"], 40),
        "how": plain(_how(newest), 100),
        "mode": result.mode,
        "proof": result.proof,
        "runs": _runs_told(len(correct), len(wrong), len(halves)),
        "wrong": plain(wrong[0][1] if wrong else "" if correct else judged[0][2]),
        "doubt": plain(next(doubts(correct[0]))) if of and not undoubted else "",
        "values": values,
        "cells": [_cell(column, medians[column.name]) for column in COLUMNS],
        "takeover": takeover(drill for half in halves for drill in half.drills),
        "day": newest.measured_on,
        "note": plain(result.note),
    }


def _how(half: Published) -> str:
    result = half.result
    counts = [(result.settings.get(name), word) for name, word in PROCESSES]
    many = [f"{count} {word}" for count, word in counts if count not in (None, 0, 1)]
    strategy = list(filter(None, [strategies.told(result.strategy)]))
    return ", ".join([result.mode, *strategy, *many])


def _runs_told(correct: int, wrong: int, all_of_them: int) -> str:
    others = all_of_them - correct - wrong
    told = f"{wrong} of {correct + wrong} runs" if wrong else f"{correct} of {correct} runs" if correct > 1 else ""
    return ", ".join(part for part in (told, f"{others} not judged" if others and correct + wrong else "") if part)


def _value(column: Metric, half: Published) -> Value | None:
    return column.value(half.result, Verification())


def _median(values: Iterable[Value | None]) -> Value | None:
    known = [value for value in values if value is not None]
    middle = median(known) if known else None
    return middle if middle is not None and isfinite(middle.value) else None


def _cell(column: Metric, middle: Value | None) -> dict[str, Any]:
    if middle is None:
        return {"name": column.name, "value": None, "text": "not told"}
    text = _short(middle.value, lambda shown: number(shown, column.unit))
    return {"name": column.name, "value": middle.value, "text": f"{SIGNS[middle.bound]}{text}"}


def _short(value: float, written: Callable[[float], str]) -> str:
    """No honest run has figures that fill a line."""
    return f"{value:.3g}" if abs(value) > _HUGE else written(value)
