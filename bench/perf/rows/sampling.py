"""What it costs a run to be looked at: the same saturated run with and without the resource sampler."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psutil

from bench import ROOT
from bench.ends.errors import RunFailed
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target
from settings.catalogue.observation import SAMPLE_RESOURCES
from settings.children import PYTHON
from settings.environment import spelled, spelled_seconds

SECONDS: Final = 8
EVERY_S: Final = 0.2
LOAD: Final = {"VUS": "32", "THINK_TIME_MS": "0", "WARMUP": "2s", "HOLD": "0s"}


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each reading is a run that brings a Postgres of its own."""
    yield Contest(lambda: _reading(lab, sampled=True), lambda: _reading(lab, sampled=False))


def _reading(lab: Lab, *, sampled: bool) -> Reading:
    command = [sys.executable, "-m", "bench", "run", "throughput", "--results", str(lab.log)]
    told = {**LOAD, "DURATION": spelled_seconds(lab.seconds(SECONDS)), SAMPLE_RESOURCES.name: spelled(sampled)}
    with (lab.log / "run.log").open("wb") as log:
        began = time.monotonic()
        run = subprocess.Popen(
            command, cwd=ROOT, env=PYTHON.environment(told), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            spent = _own_cpu(run)
        finally:
            run.terminate()
            code = run.wait()
    if code != 0:
        raise RunFailed("the run did not converge", (lab.log / "run.log").read_text(encoding="utf-8")[-2000:])
    result: dict[str, Any] = json.loads((lab.log / "latest" / "result.json").read_text(encoding="utf-8"))
    backend = (result["resources"] or {}).get("postgres_cpu_percent", {}).get("bench", {}).get("mean", 0.0)
    figures = {"bench ms/s": 1000 * spent / (time.monotonic() - began), "backend ms/s": 10 * backend}
    return Reading(result["throughput"]["actions_per_s"] + result["throughput"]["reads_per_s"], figures)


def _own_cpu(run: subprocess.Popen[bytes]) -> float:
    """CPU seconds of the bench's process, what it started left out."""
    spent = 0.0
    while run.poll() is None:
        with suppress(psutil.NoSuchProcess):
            times = psutil.Process(run.pid).cpu_times()
            spent = times.user + times.system
        time.sleep(EVERY_S)
    return spent


ROW: Final = Row(
    name="sampling",
    title="A run that is looked at: with the resource sampler, and without",
    unit="requests/s",
    better="higher",
    ours="actions and reads a second of a saturated run, SAMPLE_RESOURCES=true",
    reference="the same run, SAMPLE_RESOURCES=false",
    targets=(Target("at least", 0.95, "reference"),),
    server="one API process (uvicorn, Litestar, Postgres), one projector",
    client="the load generator, 32 users without a pause",
    strategy="stream-leases",
    open=contest,
    long=True,
)
