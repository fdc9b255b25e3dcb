"""How much of the machine this process may use: CPU affinity, and the limits of its control groups (v1 and v2)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

ROOT: Final = Path("/")


def cores(root: Path = ROOT) -> float:
    """Processors that may be used at once: affinity (`taskset`, cpuset) and CPU quota, whichever is less."""
    found = float(allowed())
    for folder in _folders(root, "cpu"):
        quota = _quota(folder)
        if quota is not None:
            found = min(found, quota)
    return int(found) if found == int(found) else round(found, 2)


def throttled(root: Path = ROOT) -> dict[str, tuple[int, int]]:
    """By control group with a CPU quota: its periods so far, and those in which its processes had to wait for the next.

    Of the groups of this process alone: a container or service that a run starts elsewhere has its own.
    """
    found = {}
    for folder in _folders(root, "cpu"):
        if _quota(folder) is not None and (told := _throttled(folder / "cpu.stat")) is not None:
            found[str(folder)] = told
    return found


def memory_bytes(root: Path = ROOT) -> int:
    """Memory that may be used: the machine's, or the least limit of a control group."""
    found: int = psutil.virtual_memory().total
    for folder in _folders(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _numbers(folder / name)
            if limit and limit[0] > 0:
                found = min(found, limit[0])
    return found


def allowed() -> int:
    """Processors that the scheduler may put this process on."""
    return len(allowed_numbers())


def allowed_numbers() -> set[int]:
    """The same by their numbers, from 0."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def _quota(folder: Path) -> float | None:
    numbers = _numbers(folder / "cpu.max")
    if not numbers:
        numbers = _numbers(folder / "cpu.cfs_quota_us") + _numbers(folder / "cpu.cfs_period_us")
    if len(numbers) != 2 or min(numbers) <= 0:
        return None
    return numbers[0] / numbers[1]


def _throttled(file: Path) -> tuple[int, int] | None:
    try:
        told = dict(line.split() for line in file.read_text(encoding="utf-8").splitlines() if len(line.split()) == 2)
        return int(told["nr_periods"]), int(told["nr_throttled"])
    except (OSError, KeyError, ValueError):
        return None


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """The control group of this process and all above it; in a container, the topmost that it sees."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    mounts = root / "sys/fs/cgroup"
    for line in lines:
        if line.count(":") < 2:
            continue
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            tops = [mounts, mounts / "unified"]
        elif controller in controllers.split(","):
            tops = [mounts / controllers, mounts / controller]
        else:
            continue
        for top in tops:
            group = top / path.strip("/")
            yield from (folder for folder in (group, *group.parents) if folder == top or top in folder.parents)


def _numbers(file: Path) -> list[int]:
    """The whole numbers in a file; none where it is missing, or says `max`."""
    try:
        words = file.read_text(encoding="utf-8").split()
    except OSError:
        return []
    return [int(word) for word in words] if all(word.lstrip("-").isdigit() for word in words) else []
