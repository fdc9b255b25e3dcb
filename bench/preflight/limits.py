"""The machine's limits that a run meets: looked at before anything is started, and raised where that is allowed."""

from __future__ import annotations

import resource
from typing import Final

from bench.ends.errors import SetupError
from bench.preflight.settings import Settings

BASE: Final = 120
"""Open files of a process that has no connection of a user: its program, logs, pipes, and pools of connections."""


def require(settings: Settings) -> None:
    """Raise the soft limit of open files as far as is needed, and refuse a run whose users would not fit.

    Each user keeps one connection, which is a file of Locust's process and one of the API's. Raises SetupError.
    """
    needed = settings.users + BASE
    allowed = raised_to(needed)
    if allowed < needed:
        fewer = f", or set VUS to {allowed - BASE} or less" if allowed > BASE else ""
        raise SetupError(
            "VUS",
            f"{settings.users} users need about {needed} open files in one process, and `ulimit -n` allows {allowed}",
            f"raise that limit (ulimit -n {needed}){fewer}",
        )


def raised_to(needed: int) -> int:
    """The soft limit, raised to what is needed or to the hard limit; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        # The system may have a limit of its own below the hard one, as macOS has.
        return soft
    return most
