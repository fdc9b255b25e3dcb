"""Readiness gate: keep a verdict on the store at hand, so that a writer asks it for the price of an attribute.

Looked at on each new connection, every `every` seconds, and whenever somebody asks; a look that fails, for whatever
reason, leaves the verdict as it was, and the next one is taken.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import asyncpg

from eventstore.connection.database import Database
from eventstore.errors import StoreUnsound
from eventstore.soundness.check import Check
from eventstore.soundness.findings import Finding, reason
from eventstore.sqlstates import passes

EVERY_S: Final = 2.0


class Watch:
    """The verdict for one process. `start` it to have it looked at again and again.

    `told` gets the reason each time that the verdict changes; empty: sound again. `failed` gets what kept it from
    looking and does not pass by itself (`eventstore.sqlstates`), once until it looks again or fails otherwise.
    """

    def __init__(
        self,
        check: Check,
        told: Callable[[str], None],
        failed: Callable[[Exception], None],
        *,
        every: float = EVERY_S,
    ) -> None:
        self._check: Final = check
        self._told: Final = told
        self._failed: Final = failed
        self._every: Final = every
        self._task: asyncio.Task[None] | None = None
        self.findings: tuple[Finding, ...] = ()

    async def greet(self, connection: asyncpg.Connection) -> None:
        """Look, on a connection that was just made. Raises the driver's errors."""
        self._found(await self._check.findings(connection))

    async def look(self, database: Database) -> tuple[Finding, ...]:
        """Look now. Raises StoreUnavailable, and the driver's errors for a defect."""
        self._found(await self._check.look(database))
        return self.findings

    def refuse(self) -> None:
        """Raises StoreUnsound while something does not hold."""
        if self.findings:
            raise StoreUnsound(reason(self.findings))

    def start(self, database: Database) -> None:
        """Look every few seconds until `close`."""
        self._task = asyncio.create_task(self._run(database))

    async def close(self) -> None:
        """Stop looking."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self, database: Database) -> None:
        defect = ""
        while True:
            try:
                await self.look(database)
                defect = ""
            # Whatever it is: a look that is never taken again would leave an old verdict for good.
            except Exception as error:
                if not passes(error) and repr(error) != defect:
                    defect = repr(error)
                    self._failed(error)
            await asyncio.sleep(self._every)

    def _found(self, findings: tuple[Finding, ...]) -> None:
        changed, self.findings = findings != self.findings, findings
        if changed:
            self._told(reason(findings))
