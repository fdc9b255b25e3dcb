"""What ends a bench before or during a run, and the exit code of each.

settings.SettingError   2   a setting that can not be used
SetupError              2   something the machine or the database lacks; nothing was left running
RunFailed               1   a part of the system failed during the run; the result says `invalid`
"""

from __future__ import annotations


class SetupError(Exception):
    """One line for the user: the setting it hangs on, what is wrong, and what to do."""

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        self.name = name
        self.problem = problem
        super().__init__(f"{name}: {problem}; {remedy}")


class RunFailed(Exception):
    """A process of the system under test failed. `tail` holds the last lines of its log."""

    def __init__(self, message: str, tail: str = "") -> None:
        self.tail = tail
        super().__init__(message)
