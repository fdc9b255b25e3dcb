"""Phase plan: the phases of the run's scenario with the run's settings put in. Nothing here runs anything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar, get_args

from services.loadgen.settings import Settings
from settings.scenarios.document import Load, Mix, Operation, ReadKind, Warmup

PhaseName = Literal["warmup", "load", "hold", "convergence", "verification"]
LOADED: Final[tuple[PhaseName, ...]] = ("warmup", "load", "hold")
"""Phases in which users do as the scenario says."""
_Kind = TypeVar("_Kind")
Table = tuple[tuple[_Kind, float], ...]


@dataclass(frozen=True)
class Phase:
    """A stretch of a run. `seconds` None: it ends by a condition, not by time. `writers` and `users` are shares.

    A writer draws from the cumulative table `writes`, or walks through `sequence`; a reader draws from `reads`. `mix`
    is the name of all three. `skew`: the share of the writes that are updates of the hottest streams, whatever the
    table says.
    """

    name: PhaseName
    seconds: float | None
    mix: str
    writers: float
    users: float = 1.0
    writes: Table[Operation] = ()
    reads: Table[ReadKind] = ()
    sequence: tuple[Operation, ...] = ()
    skew: float = 0.0

    @property
    def measured(self) -> bool:
        """True when requests of this phase belong to the result's numbers."""
        return self.name == "load"


def plan(settings: Settings) -> tuple[Phase, ...]:
    """The phases in order: those of the scenario, the hold if there is to be one, convergence and verification.

    A warm-up of no length is left out. In the hold users do as in the last phase of the scenario, whose readers confirm
    the convergence.
    """
    timed = [made for phase in settings.scenario.phases if (made := _timed(phase, settings)).seconds]
    hold = [replace(timed[-1], name="hold", seconds=None)] if settings.hold_s else []
    ending = Phase("convergence", None, "none", timed[-1].writers), Phase("verification", None, "none", 0.0)
    return (*timed, *hold, *ending)


def is_writer(index: int, share: float) -> bool:
    """True when user number `index` writes: of any first n users, the share that writes is exact to one user."""
    return math.floor((index + 1) * share) > math.floor(index * share)


def readers(users: Iterable[int], share: float) -> list[int]:
    """The numbers of those users that read."""
    return [index for index in users if not is_writer(index, share)]


def pick(table: Table[_Kind], draw: float) -> _Kind:
    """The entry of a cumulative table that a draw from [0, 1) falls on."""
    return next(kind for kind, bound in table if draw < bound)


def cumulative(weights: Mapping[Any, float], kinds: Iterable[Any]) -> Table[Any]:
    """The kinds that have a weight, each with the upper bound of its part of [0, 1); the last bound is 1."""
    bounds: list[tuple[Any, float]] = []
    summed, total = 0.0, sum(weights.values())
    for kind in kinds:
        if kind in weights:
            summed += weights[kind]
            bounds.append((kind, summed / total))
    return (*bounds[:-1], (bounds[-1][0], 1.0)) if bounds else ()


def _timed(phase: Warmup | Load, settings: Settings) -> Phase:
    mix: Mix = settings.scenario.mixes[phase.mix]
    return Phase(
        "load" if isinstance(phase, Load) else "warmup",
        _seconds(phase, settings),
        phase.mix,
        settings.write_ratio if phase.writers is None else phase.writers,
        phase.users,
        cumulative(mix.writes, get_args(Operation)),
        cumulative(mix.reads, get_args(ReadKind)),
        mix.sequence,
        settings.skew if "update" in mix.writes else 0.0,
    )


def _seconds(phase: Warmup | Load, settings: Settings) -> float:
    if isinstance(phase, Load):
        total = sum(each.weight for each in settings.scenario.phases if isinstance(each, Load))
        return settings.duration_s * phase.weight / total
    return phase.seconds if phase.seconds is not None else max(settings.warmup_s, phase.at_least_seconds)
