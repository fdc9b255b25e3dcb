"""A rebuild beside live traffic: how fast it is, and what it costs those who write and those who wait to see."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from bench.ends.errors import RunFailed
from bench.perf import histories
from bench.perf.contests import rebuild, visible
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target
from bench.platforms.processes import Process, tail
from settings.children import PYTHON

RATE: Final = 200
SLICE_S: Final = 5.0
LONGEST_S: Final = 900.0
COMMAND: Final = ["-m", "services.projector", "rebuild", "--json"]


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """A store with a history that is projected; each of our readings rebuilds it under load."""
    streams = lab.size(rebuild.STREAMS)
    with lab.database() as url, lab.database() as quiet:
        histories.projected(lab, url, streams=streams, each=rebuild.EACH)
        events = histories.backlog(lab, quiet, streams=streams, each=rebuild.EACH)
        api, base = lab.api(url)
        projector = lab.projector(url)

        def ours() -> Reading:
            lab.settle(url)
            before = _loaded(lab, url, base, lambda: False)
            process = _started(lab, url)
            during = _loaded(lab, url, base, lambda: process.running)
            told = _told(process)
            return Reading(
                told["filled"] / told["seconds"],
                {
                    **{f"{name}_without": value for name, value in before.items()},
                    **{f"{name}_during": value for name, value in during.items()},
                    "seconds": told["seconds"],
                    "projectors_held_out_ms": told["projectors_ms"],
                    "readers_held_out_ms": told["readers_ms"],
                },
            )

        yield Contest(ours, lambda: rebuild.rebuilt(lab, quiet, events, STRATEGY="stream-locks"))
        lab.stop(projector)
        lab.stop(api)


def _loaded(lab: Lab, url: str, base: str, going: Callable[[], bool]) -> dict[str, float]:
    """Writes at the row's rate, slice after slice while it is so: the worst slice's p99, and that of all to be seen."""
    after = lab.value(url, "SELECT coalesce(max(position), 0) FROM events")
    worst = 0.0
    while True:
        sent = lab.program("arrivals", f"--rate={RATE}", f"--seconds={lab.seconds(SLICE_S)}", url=url, BASE_URL=base)
        if sent["refused"]:
            raise RunFailed(f"{sent['refused']:g} writes were refused")
        worst = max(worst, sent["p99"])
        if not going():
            break
    visible.wait_until_projected(base)
    p50, p99, longest = lab.sql(url, visible.DELAYS.format(after=after))[0]
    return {"write_p99": worst, "visible_p50": p50, "visible_p99": p99, "visible_max": longest}


def _started(lab: Lab, url: str) -> Process:
    """The command, under way."""
    env = PYTHON.environment({"LOG_LEVEL": "warning", "DATABASE_URL": url})
    process = lab.processes.start(f"rebuild-{time.monotonic_ns()}", COMMAND, env)
    process.expendable = True
    return process


def _told(process: Process) -> dict[str, Any]:
    """What it said at its end. Raises RunFailed where it has not switched."""
    try:
        process.popen.wait(LONGEST_S)
    except subprocess.TimeoutExpired:
        raise RunFailed(f"the rebuild did not end within {LONGEST_S:g} s", tail(process.log)) from None
    line = tail(process.log, 1)
    if process.popen.returncode != 0 or not line.startswith("{"):
        raise RunFailed("the rebuild did not switch", tail(process.log))
    told: dict[str, Any] = json.loads(line)
    return told


ROW: Final = Row(
    name="rebuild_live",
    title=f"Rebuild of 1 M events over 100,000 streams beside {RATE} writes/s, proven equal and switched",
    unit="events/s",
    better="higher",
    ours="`rebuild`: a shadow is folded from the log, compared row by row, caught up and switched; todos stay readable",
    reference="`reset --all`, then `--once` by stream-locks, without any traffic: todos are gone meanwhile",
    targets=(Target("at least", 0.3, "reference"), Target("at most", 1000, figure="projectors_held_out_ms", unit="ms")),
    settings=visible.SETTINGS,
    trials=1,
    long=True,
    server="one API process (uvicorn, Litestar, Postgres), one projector",
    client="bench.perf.programs.arrivals, open loop; one rebuild",
    strategy="stream-leases",
    open=contest,
)
