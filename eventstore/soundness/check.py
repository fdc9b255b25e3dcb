"""Run the precondition check: on a connection, for a process that needs certain rights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import msgspec

from eventstore.connection.database import Database
from eventstore.errors import StoreUnsound
from eventstore.shards.hash_slots import Place
from eventstore.soundness.findings import Finding, judge, reason
from eventstore.soundness.rights import Rights, one_by_one
from eventstore.soundness.statement import CHECK, RIGHTS

_JSON: Final = ("lacking", "passed", "kept")
_MISSING: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InsufficientPrivilegeError)


class Check:
    """What one process rests on. `order`: also what the global order rests on. `place`: which shard the store is."""

    def __init__(
        self, rights: Rights, *, order: bool = True, cursor: str = "todos", place: Place | None = None
    ) -> None:
        wanted = list(one_by_one(rights))
        self._order: Final = order
        self._place: Final = place
        self._wanted: Final[Mapping[str, Any]] = {
            "objects": [object for object, _, _ in wanted],
            "parts": [part for _, part, _ in wanted],
            "privileges": [privilege for _, _, privilege in wanted],
        }
        self._cursor: Final = cursor

    async def findings(self, connection: asyncpg.Connection) -> tuple[Finding, ...]:
        """What does not hold, in one statement; two where something is missing. Raises the driver's errors."""
        try:
            rows = await connection.fetch(CHECK.sql, *CHECK.arguments({**self._wanted, "cursor": self._cursor}))
        except _MISSING as missing:
            rows = await connection.fetch(RIGHTS.sql, *RIGHTS.arguments(dict(self._wanted)))
            return self._judged(rows[0]) or (Finding("rights", str(missing), "see the server's log"),)
        return self._judged(rows[0])

    async def look(self, database: Database) -> tuple[Finding, ...]:
        """The same on a connection of the pool. Raises StoreUnavailable without an answer.

        A session keeps settings that it began with, as read-only, so one that is found unsound is not asked again.
        """
        held = database.connection()
        async with held as connection:
            findings = await self.findings(connection)
            if findings:
                held.distrust()
        return findings

    def _judged(self, row: asyncpg.Record) -> tuple[Finding, ...]:
        values = dict(row)
        for name in _JSON:
            # A connection that was just made decodes no JSON yet.
            if isinstance(values.get(name), str):
                values[name] = msgspec.json.decode(values[name])
        return tuple(finding for finding in judge(values, self._place) if self._order or not finding.order)


async def require(database: Database, check: Check) -> None:
    """Raises StoreUnsound with all reasons where something does not hold, StoreUnavailable without an answer."""
    if findings := await check.look(database):
        raise StoreUnsound(reason(findings))
