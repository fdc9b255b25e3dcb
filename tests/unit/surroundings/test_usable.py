"""Cores and memory that may be used: by affinity, and by control groups of both versions."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from bench.preflight import usable

GIB = 2**30


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 16 processors with 64 GiB."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    memory = psutil.virtual_memory()._replace(total=64 * GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)


V2 = {"proc/self/cgroup": "0::/user.slice/job.scope\n"}
V1 = {"proc/self/cgroup": "5:memory:/docker/abc\n3:cpuset:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n"}


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("files", "cores", "gib"),
    [
        ({}, 16, 64),
        (V2, 16, 64),
        ({**V2, "sys/fs/cgroup/cpu.max": "max 100000\n", "sys/fs/cgroup/memory.max": "max\n"}, 16, 64),
        ({**V2, "sys/fs/cgroup/cpu.max": "150000 100000", "sys/fs/cgroup/memory.max": str(2 * GIB)}, 1.5, 2),
        ({**V2, "sys/fs/cgroup/user.slice/cpu.max": "400000 100000"}, 4, 64),
        (
            {
                **V2,
                "sys/fs/cgroup/user.slice/cpu.max": "400000 100000",
                "sys/fs/cgroup/user.slice/job.scope/cpu.max": "50000 100000",
                "sys/fs/cgroup/user.slice/job.scope/memory.max": str(3 * GIB),
            },
            0.5,
            3,
        ),
        ({**V2, "sys/fs/cgroup/elsewhere/cpu.max": "50000 100000"}, 16, 64),
        # As a container sees it: its own group is the root of what is mounted.
        (
            {
                **V1,
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "200000",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": str(GIB),
            },
            2,
            1,
        ),
        (
            {
                **V1,
                "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "9223372036854771712",
            },
            16,
            64,
        ),
        ({**V2, "sys/fs/cgroup/cpu.max": "nonsense", "sys/fs/cgroup/memory.max": ""}, 16, 64),
        ({"proc/self/cgroup": "not a control group\n"}, 16, 64),
    ],
)
def test_the_least_limit_counts(files: dict[str, str], cores: float, gib: int, tmp_path: Path) -> None:
    root = tree(tmp_path, files)
    assert usable.cores(root) == cores
    assert isinstance(usable.cores(root), int) == (cores == int(cores))
    assert usable.memory_bytes(root) == gib * GIB


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_affinity_counts() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable.cores() <= 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("quota", ["150000 100000", "max 100000"])
def test_how_often_a_quota_was_used_up_is_told_of_groups_that_have_one(tmp_path: Path, quota: str) -> None:
    stat = "usage_usec 9\nnr_periods 200\nnr_throttled 31\nthrottled_usec 7\n"
    group = "sys/fs/cgroup/user.slice"
    root = tree(tmp_path, {**V2, f"{group}/cpu.max": quota, f"{group}/cpu.stat": stat, f"{group}/job.scope/x": ""})
    assert list(usable.throttled(root).values()) == ([] if "max" in quota else [(200, 31)])


@pytest.mark.usefixtures("many")
def test_of_a_group_that_does_not_count_its_periods_nothing_is_told(tmp_path: Path) -> None:
    assert usable.throttled(tree(tmp_path, {**V2, "sys/fs/cgroup/cpu.max": "150000 100000"})) == {}
