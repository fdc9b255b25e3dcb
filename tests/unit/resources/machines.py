"""Machines made by hand: process tables and counters at two moments."""

from __future__ import annotations

from bench.trial.resources.processes import Seen, Snapshot, Times

BENCH, API, POSTGRES, BACKEND, STRANGER, SHELL = 100, 110, 120, 121, 500, 50
KTHREADD = {2: Seen(0, "kthreadd", 0, 1.0, 0.0), 30: Seen(2, "kworker/0:1", 0, 1.0, 5.0)}


def seen(
    parent: int,
    name: str,
    own_s: float,
    ended_s: float = 0.0,
    *,
    session: int | None = None,
    born: float = 10.0,
    user_s: float | None = None,
    core: int | None = None,
) -> Seen:
    """A process, all of whose time is in user mode unless told."""
    return Seen(parent, name, session, born, own_s, ended_s, own_s + ended_s if user_s is None else user_s, core)


def run(api: float = 0.0, backend: float = 0.0, ended: float = 0.0) -> dict[int, Seen]:
    """A bench with an API and a server, and the CPU that they have used so far; `ended`: of backends that are gone."""
    return {
        SHELL: seen(1, "bash", 3.0, 40.0, session=SHELL),
        BENCH: seen(SHELL, "python3", 1.0, session=SHELL),
        API: seen(BENCH, "python3", api, session=API),
        POSTGRES: seen(BENCH, "postgres", 0.5, ended, session=POSTGRES),
        BACKEND: seen(POSTGRES, "postgres", backend, session=BACKEND),
    }


def machine(
    at: float, processes: dict[int, Seen], *, times: Times | None = None, cores: int = 2, whole: bool = True
) -> Snapshot:
    """A moment of a machine; `whole`: the kernel's threads are seen, so every process is."""
    return Snapshot(at, cores, times or Times(), {**(KTHREADD if whole else {}), **processes})
