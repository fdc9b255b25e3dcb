"""Rolling replacement of a service's worker processes by SIGHUP to their supervisor (uvicorn).

Each new worker serves before the one that it replaces is told to end; they share the listening socket, so no connection
is refused. The supervisor gives up where a new one is not ready in time, and is then asked again.
"""

from __future__ import annotations

import signal
import time
from typing import Final

import psutil

from bench.ends import signals
from bench.ends.errors import RunFailed
from bench.platforms.processes import Process, tail

WITHIN_S: Final = 90.0
ASKED_AGAIN_S: Final = 3.0
"""A supervisor that brings up no new worker for so long has not heard, or has given up."""
LOOK_S: Final = 0.05
WORKER: Final = "multiprocessing.spawn"
"""What the command line of a worker has, and that of no other child."""


def replace_workers(process: Process) -> None:
    """Returns when no worker that was there lives any more. Raises RunFailed where that takes too long."""
    former = workers(process)
    number, deadline, asked_at = len(former), time.monotonic() + WITHIN_S, float("-inf")
    while former & (now := workers(process)):
        signals.check()
        if not process.running:
            raise process.ended_badly()
        if time.monotonic() > deadline:
            raise RunFailed(f"{process.name} did not replace its processes within {WITHIN_S:g} s", tail(process.log))
        if len(now) != number:
            asked_at = time.monotonic()
        elif time.monotonic() - asked_at > ASKED_AGAIN_S:
            process.popen.send_signal(signal.SIGHUP)
            asked_at = time.monotonic()
        time.sleep(LOOK_S)


def workers(process: Process) -> set[int]:
    """The process ids of the workers that live now; none where their supervisor has ended."""
    found = set()
    try:
        children = psutil.Process(process.pid).children()
    except psutil.NoSuchProcess:
        return set()
    for child in children:
        try:
            if any(WORKER in word for word in child.cmdline()):
                found.add(child.pid)
        except psutil.Error:
            continue
    return found
