"""All processes of a session, ended together: asked, and killed when their time is over.

A process that the bench starts leads a session, and what it starts in turn stays in it, whoever its parent is by then;
Postgres's own children leave it, and are found below their parent. A stopped process is woken, so that it can end.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

LOOK_S: Final = 0.02
LISTED_EVERY_S: Final = 0.25


def members(leaders: Iterable[int]) -> list[psutil.Process]:
    """The living processes of the sessions, and all below their leaders."""
    wanted = set(leaders)
    found = {process for process in psutil.process_iter() if _session(process.pid) in wanted}
    for leader in wanted:
        with suppress(psutil.Error):
            process = psutil.Process(leader)
            if _session(leader) == leader:
                found |= {process, *process.children(recursive=True)}
    return [process for process in found if _lives(process)]


def end(leaders: Mapping[int, signal.Signals], patience_s: float) -> None:
    """Send each leader's whole session its signal, all at once; kill what is left after `patience_s` seconds.

    Nothing of the sessions lives when this returns.
    """
    for leader, sign in leaders.items():
        _ask(leader, sign)
    known = _await_end(leaders, patience_s)
    while left := [process for process in {*known, *members(leaders)} if _lives(process)]:
        for process in left:
            _send(process, signal.SIGKILL)
        known = left
        time.sleep(LOOK_S)


def freeze(process: psutil.Process) -> None:
    """Stop a process until it is woken."""
    _send(process, signal.SIGSTOP)


def wake(process: psutil.Process) -> None:
    """Let a stopped process go on."""
    _send(process, signal.SIGCONT)


def working_in(folders: Iterable[Path]) -> list[psutil.Process]:
    """The processes whose working directory is one of the folders, or lies in it."""
    roots = list(folders)
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            place = Path(process.cwd())
            if any(place.is_relative_to(root) for root in roots):
                found.append(process)
    return found


def told(variables: Mapping[str, str]) -> list[psutil.Process]:
    """The processes whose environment has these variables: also one that has left its session and its parents."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            environment = process.environ()
            if all(environment.get(name) == value for name, value in variables.items()):
                found.append(process)
    return found


def await_end(processes: Iterable[psutil.Process], names: Collection[str], patience_s: float) -> None:
    """Wait, so many seconds at most, for those of these names to end by themselves."""
    awaited = []
    for process in processes:
        with suppress(psutil.Error):
            if process.name() in names:
                awaited.append(process)
    psutil.wait_procs(awaited, timeout=patience_s)


def kill(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL to each."""
    for process in processes:
        _send(process, signal.SIGKILL)


def _ask(leader: int, sign: signal.Signals) -> None:
    """Tell the leader's process group, or, where the leader has died, whoever is left of the session."""
    if _session(leader) == leader:
        with suppress(OSError):
            os.killpg(leader, sign)
    for process in members([leader]):
        if _session(leader) != leader:
            _send(process, sign)
        wake(process)


def _await_end(leaders: Iterable[int], patience_s: float) -> list[psutil.Process]:
    """All processes that were seen while they were waited for; an orphan may not be found a second time."""
    deadline = time.monotonic() + patience_s
    known = set(members(leaders))
    looked = time.monotonic()
    while any(_lives(process) for process in known) and time.monotonic() < deadline:
        time.sleep(LOOK_S)
        if time.monotonic() - looked > LISTED_EVERY_S:
            known, looked = {*known, *members(leaders)}, time.monotonic()
    return list(known)


def _session(pid: int) -> int | None:
    with suppress(OSError):
        return os.getsid(pid)
    return None


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _send(process: psutil.Process, sign: signal.Signals) -> None:
    with suppress(psutil.Error):
        process.send_signal(sign)
