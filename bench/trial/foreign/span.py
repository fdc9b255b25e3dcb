"""The span of a fault that lasts: a session strikes, what it did stays for a while, and is undone whatever comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final, TypeVar

import asyncpg

from bench.ends import signals
from bench.ends.errors import RunFailed
from bench.oracle.connection import ERRORS, OpenConnection
from bench.platforms.platform import System
from bench.trial.fault import Stats
from bench.trial.foreign.session import ANSWER_S, session
from bench.trial.foreign.standstill import Standstill

T = TypeVar("T")


class Span:
    """It begins at the end of the block of `begin`, lasts `lasts_s`, and ends with `end`.

    What is entered into `opened` is undone there, the last first; and at once where the block raises. No signal breaks
    the undoing off. `within_s` bounds each statement of the session.
    """

    def __init__(self, lasts_s: float, *, within_s: float = ANSWER_S) -> None:
        self.lasts_s: Final = lasts_s
        self._within_s: Final = within_s
        self.opened: Final = ExitStack()
        self.standstill = Standstill()
        self._system: System
        self._dba: OpenConnection | None = None
        self._since: float | None = None

    @contextmanager
    def begin(self, system: System) -> Iterator[OpenConnection]:
        """The session that strikes. The driver's errors leave the block as RunFailed."""
        self._system = system
        try:
            self.opened.callback(self._close)
            self._dba = session(system, within_s=self._within_s)
            yield self._dba
            self._since = time.monotonic()
        except ERRORS as error:
            self.end()
            raise RunFailed(f"the fault could not strike: {_words(error)}") from error
        except BaseException:
            self.end()
            raise

    @property
    def lasting(self) -> bool:
        """Whether it has begun, and has not ended."""
        return self._since is not None

    @property
    def elapsed_s(self) -> float:
        """How long it has lasted; 0 where it does not."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    def note(self, stats: Stats | None) -> bool:
        """Take in what is seen now, while it lasts; True once it has lasted as long as it should."""
        if not self.lasting:
            return False
        self.standstill.note(stats)
        return self.elapsed_s >= self.lasts_s

    def use(self, deed: Callable[[OpenConnection], T]) -> T | None:
        """What comes of a deed by the session; None where the server refuses, or gives no answer, and then the next
        deed is by a new session.
        """
        try:
            self._dba = self._dba or session(self._system, within_s=self._within_s)
            return deed(self._dba)
        except ERRORS:
            self._close()
            return None

    def look(self, statement: str, *arguments: Any) -> list[asyncpg.Record] | None:
        """The rows of an answer, None without one."""
        return self.use(lambda dba: dba.rows(statement, *arguments))

    def end(self) -> None:
        """Undo what was done; harmless where that is so already. Raises RunFailed."""
        self._since = None
        with signals.held():
            try:
                self.opened.close()
            except ERRORS as error:
                raise RunFailed(f"the fault could not be undone: {_words(error)}") from error

    def _close(self) -> None:
        dba, self._dba = self._dba, None
        if dba is not None:
            with suppress(*ERRORS):
                dba.close()


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
