"""Exit codes of `python -m services.projector`, each with what it says to whoever started it: one table."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Ending(IntEnum):
    """How a projector's process, or an operator's command, ended."""

    DONE = 0
    BLOCKED = 1
    REFUSED = 2
    DEFECT = 3
    TIME_LIMIT = 4
    AWAY = 75


MEANINGS: Final = {
    Ending.DONE: "all is projected (--once); it was told to end (a running projector); the command did what it says",
    Ending.BLOCKED: "something is blocked (--once); there was nothing that the command could act on, or some "
    "of it has to be done by hand",
    Ending.REFUSED: "a setting, a right or a machine that does not allow it; nothing was done",
    Ending.DEFECT: "a defect: the log's last line has the traceback",
    Ending.TIME_LIMIT: "a time limit of the server that even the smallest piece of work does not fit in",
    Ending.AWAY: "the store was away, or locked by somebody, for longer than --timeout: run the command again",
}
SIGNALLED: Final = 128
"""Plus the signal's number: it cut a job (--once) or a command short. 129 SIGHUP, 130 SIGINT, 143 SIGTERM."""


def table() -> str:
    """The codes for `--help`."""
    lines = [f"  {code:<4}{meaning}" for code, meaning in MEANINGS.items()]
    return "\n".join(["exit codes:", *lines, "  128+n  signal n cut a job or a command short (129, 130, 143)"])
