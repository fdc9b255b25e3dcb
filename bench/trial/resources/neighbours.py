"""Noisy neighbours: the share of the machine that processes outside of a run took, and what its host stole.

Where every process of the machine is seen, the time of those that are neither the run's nor the kernel's is added up.
Elsewhere, as in a container, it is what the cores worked in all, less what the run spent: the machine's counters tell
of processes that can not be seen, and then they have no name.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from bench.trial.resources.processes import Snapshot, kernel_threads, members, spent_between, spent_each
from metrics.records.sections.resources import DOUBTFUL, Neighbour, Neighbours

NAMED: Final = 3
SMALLEST: Final = 0.001
"""Share of the machine below which a process is not named."""
LOAD: Final = "load"
SHORTEST_S: Final = 1.0
"""A shorter interval tells too little: the counters go in hundredths of a second."""


@dataclass(frozen=True)
class Taken:
    """Seconds of cores between two moments, of `capacity_s` that there were; `by_name` those of other processes."""

    capacity_s: float
    processes_s: float = 0.0
    steal_s: float = 0.0
    iowait_s: float = 0.0
    kernel_s: float = 0.0
    work_s: float = 0.0
    by_name: Mapping[str, float] = field(default_factory=dict)

    def __add__(self, other: Taken) -> Taken:
        return Taken(
            self.capacity_s + other.capacity_s,
            self.processes_s + other.processes_s,
            self.steal_s + other.steal_s,
            self.iowait_s + other.iowait_s,
            self.kernel_s + other.kernel_s,
            self.work_s + other.work_s,
            Counter(self.by_name) + Counter(other.by_name),
        )

    @property
    def lost_share(self) -> float:
        """What the run did not have: other processes and steal."""
        return self.share(self.processes_s + self.steal_s)

    def share(self, seconds: float) -> float:
        """Of the capacity, 0 to 1."""
        return round(min(1.0, seconds / self.capacity_s), 4) if self.capacity_s > 0 else 0.0


def taken(before: Snapshot, after: Snapshot, leaders: Collection[int]) -> Taken:
    """What others took between two moments; the run is this process, the leaders, and all that they started."""
    ours, apart = {os.getpid(), *leaders}, {os.getsid(0)} if hasattr(os, "getsid") else set()
    return between(before, after, ours, apart)


def between(before: Snapshot, after: Snapshot, leaders: Collection[int], apart: Collection[int | None] = ()) -> Taken:
    """The same, of the leaders alone. Pure."""
    first, last = before.processes, after.processes
    ours = members(first, leaders, apart=apart) | members(last, leaders, apart=apart)
    kernel = (kernel_threads(first) | kernel_threads(last)) - ours
    each = spent_each(first, last)
    others = {pid: seconds for pid, seconds in each.items() if pid not in ours and pid not in kernel}
    work = max(0.0, after.times.work - before.times.work)
    unseen = max(0.0, work - spent_between(first, last, ours))
    interrupts = after.times.interrupts - before.times.interrupts
    by_name: Counter[str] = Counter()
    for pid, seconds in others.items():
        by_name[last[pid].name] += seconds  # type: ignore[assignment]
    return Taken(
        capacity_s=max(0.0, after.at - before.at) * after.cores,
        processes_s=sum(others.values()) if after.complete else unseen,
        steal_s=max(0.0, after.times.steal - before.times.steal),
        iowait_s=max(0.0, after.times.iowait - before.times.iowait),
        kernel_s=max(0.0, interrupts) + sum(each[pid] for pid in kernel if pid in each),
        work_s=work + max(0.0, interrupts),
        by_name=by_name,
    )


def section(phases: Mapping[str, Taken]) -> Neighbours:
    """The section of a result, of what was taken in each phase. Pure."""
    long = {name: each for name, each in phases.items() if each.capacity_s > 0 and name}
    if not long:
        return not_told("no phase was long enough to be looked at")
    name, worst = max(long.items(), key=_gravity)
    ranked = sorted(worst.by_name.items(), key=lambda item: -item[1])[:NAMED]
    top = [Neighbour(each, worst.share(seconds)) for each, seconds in ranked]
    return Neighbours(
        cpu_share=worst.lost_share,
        processes_share=worst.share(worst.processes_s),
        steal_share=worst.share(worst.steal_s),
        iowait_share=worst.share(worst.iowait_s),
        kernel_share=worst.share(worst.kernel_s),
        phase=name,
        by_phase={each: phase.lost_share for each, phase in long.items()},
        top=[one for one in top if one.share >= SMALLEST],
    )


def _gravity(phase: tuple[str, Taken]) -> tuple[bool, float]:
    """What was lost in the load phase weighs most, since nearly all figures are of it; else the most that was lost."""
    name, lost = phase[0], phase[1].lost_share
    return name == LOAD and lost > DOUBTFUL, lost


def not_told(reason: str) -> Neighbours:
    """Nothing is known, and why."""
    return Neighbours(reason=reason)


def steal_alone(told: Neighbours, reason: str) -> Neighbours:
    """What holds where the run's processes can not be told from others."""
    return Neighbours(
        steal_share=told.steal_share,
        iowait_share=told.iowait_share,
        kernel_share=told.kernel_share,
        phase=told.phase,
        reason=reason,
    )
