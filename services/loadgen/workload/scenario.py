"""Scenarios as data: which phases a run has, how long, with how many users doing what. Nothing here runs anything."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from services.loadgen.settings import Settings

PhaseName = Literal["warmup", "load", "convergence", "verification"]
Mix = Literal["mixed", "sequence", "create", "none"]
Operation = Literal["create", "update", "delete"]
ReadKind = Literal["one", "list", "stats"]

STAGED_SCENARIOS = ("scaling", "combined")
STAGE_RAMP_S = 2.0
WRITE_MIX: tuple[tuple[Operation, float], ...] = (("create", 0.4), ("update", 0.7), ("delete", 1.0))
READ_MIX: tuple[tuple[ReadKind, float], ...] = (("one", 0.6), ("list", 0.8), ("stats", 1.0))


@dataclass(frozen=True)
class Phase:
    """A stretch of a run. `seconds` None: it ends by a condition, not by time. `writers` and `users` are shares.

    `mix`: what a writer does: `mixed` (40 % create, 30 % update, 30 % delete), `sequence` (create, update, delete
    of one todo, over and over), `create` only, or `none`.
    """

    name: PhaseName
    seconds: float | None
    mix: Mix
    writers: float
    users: float = 1.0

    @property
    def measured(self) -> bool:
        """True when requests of this phase belong to the result's numbers."""
        return self.name == "load"


def plan(settings: Settings) -> tuple[Phase, ...]:
    """The phases of the scenario in order, convergence and verification last."""
    ratio = settings.write_ratio
    ending = (Phase("convergence", None, "none", _ending_writers(settings)), Phase("verification", None, "none", 0.0))
    return (*_warmup(settings), *_load(settings, ratio), *ending)


def probes(settings: Settings) -> bool:
    """True when the visibility probe takes part: it writes, so a read-only scenario goes without."""
    return settings.scenario != "reads"


def is_writer(index: int, share: float) -> bool:
    """True when user number `index` writes: of any first n users, the share that writes is exact to one user."""
    return math.floor((index + 1) * share) > math.floor(index * share)


def readers(users: Iterable[int], share: float) -> list[int]:
    """The numbers of those users that read."""
    return [index for index in users if not is_writer(index, share)]


def pick(table: tuple[tuple[Operation, float], ...] | tuple[tuple[ReadKind, float], ...], draw: float) -> str:
    """The entry of a cumulative table that a draw from [0, 1) falls on."""
    return next(name for name, bound in table if draw < bound)


def _warmup(settings: Settings) -> tuple[Phase, ...]:
    if settings.scenario == "reads":
        return (Phase("warmup", max(settings.warmup_s, 1.0), "create", 1.0),)
    if settings.warmup_s == 0:
        return ()
    mix: Mix = "sequence" if settings.scenario == "actions" else "mixed"
    first = 0.25 if settings.scenario == "scaling" else 0.5 if settings.scenario == "combined" else 1.0
    share = 1.0 if settings.scenario == "actions" else settings.write_ratio
    return (Phase("warmup", settings.warmup_s, mix, share, first),)


def _load(settings: Settings, ratio: float) -> tuple[Phase, ...]:
    seconds = settings.duration_s
    match settings.scenario:
        case "throughput":
            return (Phase("load", seconds, "mixed", ratio),)
        case "actions":
            return (Phase("load", seconds, "sequence", 1.0),)
        case "reads":
            return (Phase("load", seconds, "none", 0.0),)
        case "scaling":
            return _stages(*(Phase("load", seconds / 4, "mixed", ratio, share) for share in (0.25, 0.5, 0.75, 1.0)))
        case "combined":
            return _stages(
                Phase("load", seconds / 3, "mixed", ratio, 0.5),
                Phase("load", seconds / 3, "mixed", ratio),
                Phase("load", seconds / 3, "sequence", ratio),
            )


def _stages(*stages: Phase) -> tuple[Phase, ...]:
    """The stages, a short warm-up before each later one, in which Locust adds the users."""
    first, *others = stages
    return (first, *(part for stage in others for part in (replace(stage, name="warmup", seconds=STAGE_RAMP_S), stage)))


def _ending_writers(settings: Settings) -> float:
    return {"actions": 1.0, "reads": 0.0}.get(settings.scenario, settings.write_ratio)
