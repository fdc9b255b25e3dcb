"""Hear of the signals that Task keeps to itself, and of the end of whoever started this process (ADR 0022).

Task catches SIGINT and SIGTERM, passes none of them on, and waits. So it is stopped (SIGSTOP) for as long as this
process works, which it would spend waiting anyway: what is sent to it stays pending, where Linux shows it, and is done
here. It goes on, and hears of its signal, when this process has ended, killed or not. Elsewhere than on Linux, and
where a shell would take the stopped Task for a job that was put aside, nothing is done.
"""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from bench.ends.guardian import Guardian
from bench.ends.signals import ENDING

TASK: Final = frozenset({"task", "go-task"})
LAUNCHERS: Final = TASK | {"uv"}
LOOK_S: Final = 0.2
_PENDING: Final = re.compile(r"^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$", re.MULTILINE)


@contextmanager
def watched() -> Iterator[None]:
    """Until the end of the block, take a signal to Task, or the end of Task or uv, for one to this process."""
    parent = _launcher()
    if parent is None:
        yield
        return
    over = threading.Event()
    if parent.name() not in TASK or not _may_stop(parent):
        _start(_await_end, parent.pid)
        yield
        return
    with Guardian() as guardian:
        guardian.wake(parent.pid)
        _start(_await_end, parent.pid)
        thread = _start(_await_signal, parent, over)
        try:
            yield
        finally:
            over.set()
            thread.join()
            with suppress(psutil.Error):
                parent.resume()


def pending(status: str) -> set[int]:
    """The signals that wait for a process, from the text of its `/proc/<pid>/status`."""
    masks = [int(mask, 16) for mask in _PENDING.findall(status)]
    return {number for number in range(1, 65) if any(mask >> (number - 1) & 1 for mask in masks)}


def _launcher() -> psutil.Process | None:
    with suppress(psutil.Error):
        parent = psutil.Process(os.getppid())
        if sys.platform == "linux" and parent.name() in LAUNCHERS:
            return parent
    return None


def _may_stop(task: psutil.Process) -> bool:
    """False where Task leads a group of its own on a terminal: then a shell watches over it."""
    with suppress(OSError, psutil.Error):
        leads = os.getpgid(task.pid) == task.pid != os.getsid(task.pid)
        return not (leads and task.terminal())
    return False


def _start(act: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=act, args=arguments, name="launcher", daemon=True)
    thread.start()
    return thread


def _await_end(pid: int) -> None:
    with suppress(OSError):
        select.select([os.pidfd_open(pid)], [], [])
        os.kill(os.getpid(), signal.SIGTERM)


def _await_signal(task: psutil.Process, over: threading.Event) -> None:
    status = Path(f"/proc/{task.pid}/status")
    with suppress(OSError, psutil.Error):
        while not over.is_set():
            # Again and again: whoever stops and continues the whole group, as a shell does, wakes it.
            task.suspend()
            for number in pending(status.read_text()) & set(ENDING):
                os.kill(os.getpid(), number)
                return
            over.wait(LOOK_S)
