"""Measure one row: its sides in turns, several times, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.ends.errors import RunFailed, SetupError
from bench.perf.lab import laboratory
from bench.perf.row import Contest, Reading, Remembered, Row, Target, Unmeasured
from bench.trial.resources import neighbours
from bench.trial.resources.neighbours import Taken, taken
from bench.trial.resources.processes import Snapshot, snapshot

TRIALS: Final = 5

Readings = dict[str, list[Reading]]
Losses = dict[str, list[Taken]]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How much to spend: the number of trials (None: the row's own), tiny sizes, the long sizes."""

    trials: int | None = None
    quick: bool = False
    full: bool = False

    def of(self, row: Row) -> int:
        """How many trials a row gets."""
        return self.trials or (1 if self.quick else row.trials or TRIALS)


def measure(row: Row, effort: Effort, log: Path, tell: Tell) -> dict[str, Any]:
    """One row of the result. A row that fails is a row too: it does not hold, and `note` says why."""
    readings: Readings = {}
    losses: Losses = {}
    notes: list[str] = []
    try:
        tell("preparing")
        with (
            laboratory(log, settings=row.settings, quick=effort.quick, full=effort.full) as lab,
            row.open(lab) as contest,
        ):
            take_turns(contest, effort.of(row), readings, losses, notes, tell)
    except (RunFailed, SetupError, Unmeasured) as failure:
        tail = getattr(failure, "tail", "")
        notes.append(f"{failure}\n{tail}".strip())
    return judged({**summarize(row, readings, notes), **doubted(losses)})


def take_turns(
    contest: Contest,
    trials: int,
    readings: Readings,
    losses: Losses,
    notes: list[str],
    tell: Tell,
    look: Callable[[], Snapshot] = snapshot,
) -> None:
    """Each side once a trial. `losses` gets what others took of the machine meanwhile, a reading each."""
    sides = contest.sides()
    for trial in range(1, trials + 1):
        for name in list(sides):
            tell(f"trial {trial} of {trials}: {name}")
            before = look()
            try:
                readings.setdefault(name, []).append(sides[name]())
                losses.setdefault(name, []).append(taken(before, look(), ()))
            except Unmeasured as reason:
                notes.append(f"{name} not measured: {reason}")
                del sides[name]


def doubted(losses: Losses) -> dict[str, Any]:
    """What others took in each reading, and the doubt where it is much of all readings of a side. Pure."""
    worst = neighbours.section({side: sum(each[1:], each[0]) for side, each in losses.items()})
    return {
        "neighbours_share": {side: [one.lost_share for one in each] for side, each in losses.items()},
        "doubts": [f"{worst.lost} while {worst.phase} was measured"] if worst.lost else [],
    }


def judged(found: dict[str, Any]) -> dict[str, Any]:
    """The row with its verdict: a figure in doubt proves nothing, neither that a target holds nor that it is missed."""
    return {**found, "verdict": "in doubt" if found["doubts"] else "holds" if found["holds"] else "does not hold"}


def summarize(row: Row, readings: Readings, notes: Sequence[str]) -> dict[str, Any]:
    """The row's figures: medians, ratios of readings taken side by side, spread, and which targets hold. Pure."""
    everyone = {**readings, **_remember(row.remembered, readings)}
    ours, reference, peer = (everyone.get(name, []) for name in ("ours", "reference", row.peer))
    verdicts = [_judge(target, row.unit, everyone) for target in row.targets]
    return {
        "name": row.name,
        "ours": _median(ours),
        "reference": _median(reference),
        "peer": _median(peer),
        "ratio_to_reference": _ratio(ours, reference),
        "ratio_to_peer": _ratio(ours, peer),
        "spread": _spread(ours),
        "unit": row.unit,
        "holds": bool(ours) and all(verdict["holds"] for verdict in verdicts),
        "title": row.title,
        "better": row.better,
        "what": {"ours": row.ours, "reference": row.reference, "peer": row.peer, **_path(row)},
        "targets": verdicts,
        "figures": {name: _figures(side) for name, side in everyone.items() if side},
        "peers": {
            name: {"value": _median(side), "ratio": _ratio(ours, side), "from_this_run": name not in row.remembered}
            for name, side in everyone.items()
            if name not in ("ours", "reference") and side
        },
        "trials": {name: [reading.value for reading in side] for name, side in readings.items()},
        "note": "\n".join(notes),
    }


def _path(row: Row) -> dict[str, str]:
    return {"server": row.server, "client": row.client, "strategy": row.strategy}


def _remember(remembered: Mapping[str, Remembered], readings: Readings) -> Readings:
    found: Readings = {}
    for name, peer in remembered.items():
        if peer.value is not None:
            found[name] = [Reading(peer.value, peer.figures) for _ in readings.get("ours", [])]
        elif peer.ratio_to_reference is not None:
            found[name] = [
                Reading(reference.value * peer.ratio_to_reference) for reference in readings.get("reference", [])
            ]
    return found


def _judge(target: Target, unit: str, everyone: Readings) -> dict[str, Any]:
    measured = _ratio(everyone.get("ours", []), everyone.get(target.of, []), target.figure)
    if not target.of:
        measured = _median(everyone.get("ours", []), target.figure)
    holds = measured is not None and (
        measured >= target.factor if target.sense == "at least" else measured <= target.factor
    )
    return {"target": target.words(unit), "measured": measured, "holds": holds}


def _median(side: Sequence[Reading], figure: str = "") -> float | None:
    return _rounded(median(reading.figure(figure) for reading in side)) if side else None


def _figures(side: Sequence[Reading]) -> dict[str, float | None]:
    return {name: _median(side, name) for name in side[0].figures}


def _ratio(ours: Sequence[Reading], other: Sequence[Reading], figure: str = "") -> float | None:
    """The median of the ratios of each trial: what changed between trials changed both sides."""
    pairs = [(a.figure(figure), b.figure(figure)) for a, b in zip(ours, other, strict=False)]
    return _rounded(median(a / b for a, b in pairs)) if pairs and all(b for _, b in pairs) else None


def _spread(side: Sequence[Reading]) -> float | None:
    """From the lowest to the highest reading, as a share of the median."""
    values = [reading.value for reading in side]
    middle = median(values) if values else 0
    return _rounded((max(values) - min(values)) / middle) if middle else None


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
