"""What ends a bench before or during a run, and the exit code of each.

SettingError    2   a setting, or something the machine lacks; nothing was started, or it is stopped again
RunFailed       1   a part of the system failed during the run; the result says `invalid`
"""

from __future__ import annotations


class SettingError(ValueError):
    """One line for the user: the setting, what is wrong with it, and what to do."""

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        self.name = name
        super().__init__(f"{name}: {problem}; {remedy}")


class RunFailed(RuntimeError):
    """A process of the system under test failed. `tail` holds the last lines of its log."""

    def __init__(self, message: str, tail: str = "") -> None:
        self.tail = tail
        super().__init__(message)
