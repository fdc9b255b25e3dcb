"""Noisy neighbours: the share of its usable cores that processes outside of a run took, and what the host stole.

All shares are of the cores that the scheduler may put this process on (affinity), and so is what they are shares from:

- every process seen, all cores usable: the time of those that are neither the run's nor the kernel's. Exact to 10 ms a
  process, but for one that is born and dies in between and that nobody waits for.
- every process seen, some cores usable (`taskset`): what these cores worked, less what the run and the kernel's threads
  spent. Exact while all of the run is on these cores; which of them a thread of the kernel or a neighbour with a name
  was on is known by where it ran last.
- not every process seen, as in a container: what these cores worked in user mode, less what the run spent there. A
  lower bound: others' time in the kernel can not be told from that of its own threads, which the run's writes use.

A CPU quota makes no core smaller, it makes the run wait: told apart, by the share of its periods that it cut.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from bench.trial.resources.processes import Snapshot, kernel_threads, members, spent_between, spent_each
from metrics.records.sections.resources import DOUBTFUL, Neighbour, Neighbours

NAMED: Final = 3
SMALLEST: Final = 0.001
"""Share of the cores below which a process is not named."""
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
    periods: int = 0
    throttled: int = 0
    """Of the periods of a CPU quota, those in which it was used up; of the group where they are most."""

    def __add__(self, other: Taken) -> Taken:
        return Taken(
            self.capacity_s + other.capacity_s,
            self.processes_s + other.processes_s,
            self.steal_s + other.steal_s,
            self.iowait_s + other.iowait_s,
            self.kernel_s + other.kernel_s,
            self.work_s + other.work_s,
            Counter(self.by_name) + Counter(other.by_name),
            self.periods + other.periods,
            self.throttled + other.throttled,
        )

    @property
    def lost_share(self) -> float:
        """What the run did not have: other processes and steal."""
        return self.share(self.processes_s + self.steal_s)

    @property
    def throttled_share(self) -> float:
        """Of the periods of a CPU quota, 0 to 1; 0 without one."""
        return round(min(1.0, self.throttled / self.periods), 4) if self.periods > 0 else 0.0

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
    here = {pid for pid in each if after.numbers is None or last[pid].core in after.numbers}
    others = {pid: each[pid] for pid in here if pid not in ours and pid not in kernel}
    work = max(0.0, after.times.work - before.times.work)
    kernels = sum(each[pid] for pid in kernel & here)
    interrupts = after.times.interrupts - before.times.interrupts
    processes = _others(before, after, ours, sum(others.values()), kernels)
    by_name: defaultdict[str, float] = defaultdict(float)
    for pid, seconds in others.items():
        by_name[last[pid].name] += seconds
    return Taken(
        capacity_s=max(0.0, after.at - before.at) * after.cores,
        processes_s=processes,
        steal_s=max(0.0, after.times.steal - before.times.steal),
        iowait_s=max(0.0, after.times.iowait - before.times.iowait),
        kernel_s=max(0.0, interrupts) + kernels,
        work_s=work + max(0.0, interrupts),
        # A name's time may have been on other cores, too: it is at most what these cores lost.
        by_name={name: min(seconds, processes) for name, seconds in by_name.items()} if after.complete else by_name,
        **_throttled(before.throttled, after.throttled),
    )


def _others(before: Snapshot, after: Snapshot, ours: Collection[int], seen: float, kernels: float) -> float:
    """Seconds that others took of the usable cores: `seen` of processes by name, or the rest of what the cores did."""
    first, last = before.processes, after.processes
    if not after.complete:
        return max(0.0, after.times.user - before.times.user - spent_between(first, last, ours, user=True))
    if after.numbers is None:
        return seen
    return max(0.0, after.times.work - before.times.work - spent_between(first, last, ours) - kernels)


def _throttled(before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Of the control group that had to wait most."""
    spans = [(last[0] - before[at][0], last[1] - before[at][1]) for at, last in after.items() if at in before]
    periods, cut = max((span for span in spans if span[0] > 0), key=lambda span: span[1] / span[0], default=(0, 0))
    return {"periods": periods, "throttled": max(0, cut)}


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
        throttled_share=worst.throttled_share,
        phase=name,
        by_phase={each: phase.lost_share for each, phase in long.items()},
        top=[one for one in top if one.share >= SMALLEST],
    )


def _gravity(phase: tuple[str, Taken]) -> tuple[bool, float]:
    """What was lost in the load phase weighs most, since nearly all figures are of it; else the most that was lost."""
    name, lost = phase[0], max(phase[1].lost_share, phase[1].throttled_share)
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
        throttled_share=told.throttled_share,
        phase=told.phase,
        reason=reason,
    )
