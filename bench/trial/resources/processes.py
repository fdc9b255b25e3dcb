"""Process table and CPU counters of the machine at one moment, and whose the processes are.

The CPU time of a tree of processes is that of its living members and of their children that have ended, which the
kernel keeps with whoever waited for them; so what a short-lived child used is not lost, and never counted twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from typing import Final

import psutil

from bench.preflight import usable

KERNEL: Final = "kthreadd"
"""The parent of all kernel threads of Linux. Who sees it sees every process of the machine."""

INIT: Final = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """A process: its parent, the name of its executable, its session, its birth, and its CPU seconds so far."""

    parent: int
    name: str
    session: int | None
    born: float
    own_s: float
    ended_s: float = 0.0
    """Of its children that have ended, and theirs."""
    user_s: float = 0.0
    """What of both was spent in user mode."""
    core: int | None = None
    """The core that it ran on last, where it is told."""

    @property
    def spent_s(self) -> float:
        """Its own, and that of its ended children."""
        return self.own_s + self.ended_s


@dataclass(frozen=True, slots=True)
class Times:
    """CPU seconds of the cores that this process may use, since the machine's start, by what they were spent on."""

    work: float = 0.0
    user: float = 0.0
    """What of the work was in user mode, where no thread of the kernel ever is."""
    interrupts: float = 0.0
    steal: float = 0.0
    iowait: float = 0.0


@dataclass(frozen=True)
class Snapshot:
    """All of it at one moment, `at` by a steady clock."""

    at: float
    cores: int
    times: Times
    processes: Mapping[int, Seen]
    numbers: frozenset[int] | None = None
    """The cores that this process may use by their numbers, where they are not all of the machine."""
    throttled: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By control group with a quota of CPU: its periods so far, and those in which the quota was used up."""

    @property
    def complete(self) -> bool:
        """True where every process of the machine is seen: not so in a container, or on other systems than Linux."""
        return any(process.name == KERNEL for process in self.processes.values())


def snapshot() -> Snapshot:
    """The machine now. What may not be looked at is left out.

    A look takes a while, on a busy machine a good while: its moment and its counters are those of its middle.
    """
    first, began = _times(), time.monotonic()
    processes = table()
    last, ended = _times(), time.monotonic()
    middle = Times(*((a + b) / 2 for a, b in zip(astuple(first), astuple(last), strict=True)))
    numbers = frozenset(_numbers())
    part = numbers if len(numbers) < (psutil.cpu_count() or 0) else None
    return Snapshot((began + ended) / 2, len(numbers), middle, processes, part, usable.throttled())


def table() -> dict[int, Seen]:
    """Every process that may be looked at, by its number."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError), process.oneshot():
            cpu = process.cpu_times()
            found[process.pid] = Seen(
                parent=process.ppid(),
                name=process.name(),
                session=_session(process.pid),
                born=process.create_time(),
                own_s=cpu.user + cpu.system,
                ended_s=getattr(cpu, "children_user", 0.0) + getattr(cpu, "children_system", 0.0),
                user_s=cpu.user + getattr(cpu, "children_user", 0.0),
                core=process.cpu_num() if hasattr(process, "cpu_num") else None,
            )
    return found


def members(processes: Mapping[int, Seen], leaders: Collection[int], *, apart: Collection[int | None] = ()) -> set[int]:
    """The leaders that live, all below them, and all of the sessions that they lead; sessions `apart` are not theirs.

    A process whose parent has died is found by its session, which it keeps.
    """
    below: dict[int, list[int]] = {}
    led: dict[int | None, list[int]] = {}
    for pid, process in processes.items():
        below.setdefault(process.parent, []).append(pid)
        led.setdefault(process.session, []).append(pid)
    found: set[int] = set()
    todo = [pid for leader in leaders for pid in (leader, *(() if leader in apart else led.get(leader, ())))]
    while todo:
        pid = todo.pop()
        if pid in processes and pid not in found:
            found.add(pid)
            todo += below.get(pid, ())
            todo += () if pid in apart else led.get(pid, ())
    return found


def private_bytes(pids: Iterable[int]) -> int:
    """Memory that these processes have and share with nobody; of a system that does not tell it, all that they have."""
    total = 0
    for pid in pids:
        with suppress(psutil.Error, OSError):
            memory = psutil.Process(pid).memory_info()
            total += memory.rss - getattr(memory, "shared", 0)
    return total


def kernel_threads(processes: Mapping[int, Seen]) -> set[int]:
    """The kernel's own threads, as far as they are seen."""
    top = {pid for pid, process in processes.items() if process.name == KERNEL and process.parent == 0}
    return top | {pid for pid, process in processes.items() if process.parent in top}


def spent_between(
    before: Mapping[int, Seen], after: Mapping[int, Seen], ours: Iterable[int], *, user: bool = False
) -> float:
    """CPU seconds that the processes `ours`, which may have ended, spent between two moments; `user`: in user mode."""
    mine = set(ours)

    def spent(process: Seen) -> float:
        return process.user_s if user else process.spent_s

    total = sum(spent(process) for pid, process in after.items() if pid in mine)
    for pid, process in before.items():
        # One that ended is within its parent's time by now, if the parent is one of ours; else it is nowhere.
        if pid in mine and (_same(process, after.get(pid)) or process.parent in mine):
            total -= spent(process)
    return max(0.0, total)


def spent_each(before: Mapping[int, Seen], after: Mapping[int, Seen]) -> dict[int, float]:
    """CPU seconds of each living process between two moments, what its children used that ended meanwhile included.

    One that ended is with whoever waited for it, its whole life long, of which a part was before: with the next of its
    ancestors that is left, or with the first process of all, which takes in orphans.
    """
    spent = {}
    for pid, process in after.items():
        known = before.get(pid)
        spent[pid] = process.spent_s - (known.spent_s if known and _same(known, process) else 0.0)
    orphaned = 0.0
    for pid, process in before.items():
        if not _same(process, after.get(pid)):
            heir = _heir(process, before, after)
            inherited = min(process.spent_s, spent[heir]) if heir is not None else 0.0
            orphaned += process.spent_s - inherited
            if heir is not None:
                spent[heir] -= inherited
    if INIT in spent:
        spent[INIT] -= orphaned
    return {pid: max(0.0, seconds) for pid, seconds in spent.items()}


def _heir(process: Seen, before: Mapping[int, Seen], after: Mapping[int, Seen]) -> int | None:
    heir = process.parent
    while heir in before and not _same(before[heir], after.get(heir)):
        heir = before[heir].parent
    return heir if heir in before else None


def _same(process: Seen | None, later: Seen | None) -> bool:
    return process is not None and later is not None and process.born == later.born


def _session(pid: int) -> int | None:
    if hasattr(os, "getsid"):
        with suppress(OSError):
            return os.getsid(pid)
    return None


def _numbers() -> list[int]:
    """The cores that the scheduler may put this process on, by their numbers."""
    return sorted(usable.allowed_numbers())


def _times() -> Times:
    every = psutil.cpu_times(percpu=True)
    cores = [every[number]._asdict() for number in _numbers() if number < len(every)]
    return Times(
        work=_sum(cores, "user", "nice", "system"),
        user=_sum(cores, "user", "nice"),
        interrupts=_sum(cores, "irq", "softirq", "interrupt", "dpc"),
        steal=_sum(cores, "steal"),
        iowait=_sum(cores, "iowait"),
    )


def _sum(cores: Iterable[Mapping[str, float]], *names: str) -> float:
    return sum(core.get(name, 0.0) for core in cores for name in names)
