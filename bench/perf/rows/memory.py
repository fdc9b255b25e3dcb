"""The memory of the services in a long run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from statistics import median
from typing import Final

import psutil

from bench import ROOT
from bench.ends.errors import RunFailed
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target
from settings.children import PYTHON
from settings.environment import spelled_seconds

SERVICES: Final = ("api", "projector", "loadgen")
MINUTES: Final = 10
EVERY_S: Final = 2.0
MOST_MB: Final = 200


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """The run brings a Postgres of its own."""

    def ours() -> Reading:
        sizes = _watch(lab, lab.seconds(60 * MINUTES) if not lab.quick else 10)
        figures = {f"{name} MB": max(values) for name, values in sizes.items()}
        growth = {f"{name} growth": _growth(values) for name, values in sizes.items()}
        return Reading(max(figures.values()), {**figures, **growth, "growth": max(growth.values())})

    yield Contest(ours)


def _watch(lab: Lab, seconds: float) -> dict[str, list[float]]:
    """Megabytes of the largest process of each service, every two seconds of a run."""
    command = [sys.executable, "-m", "bench", "run", "throughput", "--results", str(lab.log)]
    env = PYTHON.environment({"DURATION": spelled_seconds(seconds)})
    sizes: dict[str, list[float]] = defaultdict(list)
    with (lab.log / "run.log").open("wb") as log:
        run = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            while run.poll() is None:
                for name, size in _sizes(run.pid).items():
                    sizes[name].append(size)
                time.sleep(EVERY_S)
        finally:
            run.terminate()
            code = run.wait()
    if code != 0 or set(sizes) != set(SERVICES):
        raise RunFailed("the run did not converge", (lab.log / "run.log").read_text(encoding="utf-8")[-2000:])
    return sizes


def _sizes(pid: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            command, size = " ".join(process.cmdline()).replace("/", "."), process.memory_info().rss / 1e6
            for name in SERVICES:
                if f"services.{name}" in command:
                    found[name] = max(size, found.get(name, 0.0))
    return found


def _growth(sizes: list[float]) -> float:
    """The last fifth of the run over the fifth that ends at its middle: what is filled once is filled by then."""
    fifth = max(1, len(sizes) // 5)
    middle = len(sizes) // 2
    return median(sizes[-fifth:]) / median(sizes[max(0, middle - fifth) : middle + 1])


ROW: Final = Row(
    name="memory",
    title=f"Memory of API, projector by stream-leases, and load generator in a run of {MINUTES} minutes",
    unit="MB",
    better="lower",
    ours="resident set of the largest process of the three, at its largest",
    reference="none",
    targets=(Target("at most", MOST_MB), Target("at most", 1.1, figure="growth", unit="× the middle of the run")),
    trials=1,
    long=True,
    server="one API process (uvicorn, Litestar, Postgres), one projector",
    client="the load generator",
    strategy="stream-leases",
    open=contest,
)
