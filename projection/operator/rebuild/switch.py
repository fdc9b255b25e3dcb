"""Switch: one transaction that holds projectors out, applies the rest, compares, and puts the shadow in place.

Projectors wait for a table lock that each of their batches takes before it locks a row, so appends go on; readers wait
for the moment alone in which the tables change their schemas. All or nothing of it is committed. Whoever can not get
the locks in time lets go of all of them, and comes again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import asyncpg

from projection.hooks import Hook
from projection.operator.rebuild.carried import exchange
from projection.operator.rebuild.compared import EVENTS, Compared, Difference, Differences
from projection.operator.rebuild.definition import signature
from projection.operator.rebuild.filling import THESE, Filling, Standing
from projection.operator.rebuild.record import COMMANDS, NEWEST, Progress, Record
from projection.operator.rebuild.schemas import NotRebuilt, Schemas, Table

REST: Final = 5_000
"""How many rows of the audit the rest may be: with more, they are filled in beside the projectors first."""

LONGEST_MS: Final = 2000
"""More than `deadlock_timeout`, after which an autovacuum that is in the way is cancelled."""
SHORTEST_MS: Final = 100

# A shorter limit that was set for this role stays.
_BOUND: Final = """
SELECT set_config('lock_timeout', $1::text, true) FROM pg_settings
 WHERE name = 'lock_timeout' AND (setting = '0' OR setting::int > ($1::text)::int)
"""

_PROJECTED: Final = "SELECT coalesce(sum(projected), 0)::bigint FROM tallies"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What makes the switch exact, each with a name, so that a test can plant a bug in one.

    `hold_out` is the lock that keeps projectors out of a table; `rest` are the streams that batches have changed since.
    """

    hold_out: str = "LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"
    rest: str = "SELECT DISTINCT stream FROM projection_audit WHERE id > $1"


@dataclass(frozen=True, slots=True)
class Switched:
    """What an attempt came to. `behind`: too much is left to be done under locks. `anew`: a command was at work.

    `differs`: the live rows are not what the log makes of them, and nothing was to be mended.
    """

    end: Literal["switched", "behind", "anew", "differs"]
    progress: Progress
    differences: Differences = field(default_factory=Differences)
    projectors_ms: float = 0.0
    readers_ms: float = 0.0


@dataclass
class Switch:
    """Attempts of one rebuild; each waits longer for its locks than the one before."""

    schemas: Schemas
    tables: Sequence[Table]
    record: Record
    filling: Filling
    compared: Compared
    definitions: str
    mend: bool
    conditions: Conditions
    hook: Hook
    attempts: int = 0

    async def attempt(self, connection: asyncpg.Connection) -> Switched:
        """Switch, or say why not; in the caller's transaction (READ COMMITTED). Raises NotRebuilt, OtherRebuild."""
        lock_ms = min(LONGEST_MS, SHORTEST_MS * 2**self.attempts)
        self.attempts += 1
        await self.schemas.enter(connection)
        await self.record.read(connection)
        await _wait_at_most(connection, LONGEST_MS)
        for table in self.tables:
            # Nobody else uses it, but an autovacuum may look after it.
            await connection.execute(f"LOCK TABLE {self.schemas.shadow}.{table.name} IN ACCESS EXCLUSIVE MODE")
        await _wait_at_most(connection, lock_ms)
        began = time.monotonic()
        commands = await connection.fetchval(f"{COMMANDS} FOR UPDATE")
        await self._hold_out(connection)
        progress = await self.record.read(connection)
        await self.hook("locked")
        if commands != progress.commands:
            return Switched("anew", progress)
        if not await self._rest(connection, progress):
            return Switched("behind", progress)
        progress = await self.record.read(connection)
        await self.hook("caught up")
        found = await self._differences(connection, progress)
        if found.count and not (self.mend and found.mendable):
            return Switched("differs", progress, found)
        await self.hook("compared")
        readers = await self._put_in_place(connection)
        await self.hook("switched")
        return Switched("switched", progress, found, (time.monotonic() - began) * 1000, readers)

    async def _hold_out(self, connection: asyncpg.Connection) -> None:
        """Wait for the batches under way, and let none begin. In a batch's order, so that nobody waits in a circle."""
        for name in (*(f"{self.schemas.live}.{table.name}" for table in self.tables), "projection_audit"):
            await connection.execute(self.conditions.hold_out.format(table=name))

    async def _rest(self, connection: asyncpg.Connection, progress: Progress) -> bool:
        """Apply what batches have committed since the mark; False where that is too much."""
        names = [row["stream"] for row in await connection.fetch(self.conditions.rest, progress.mark)]
        if len(names) > REST:
            return False
        rows = await connection.fetch(THESE, names)
        filled = await self.filling.take(connection, [Standing.of(row) for row in rows], REST)
        newest: int = await connection.fetchval(NEWEST)
        mark = max(newest, progress.mark) if filled.whole else progress.mark
        await self.record.move(connection, replace(progress, mark=mark), streams=filled.streams, events=filled.events)
        return filled.whole

    async def _differences(self, connection: asyncpg.Connection, progress: Progress) -> Differences:
        found = await self.compared.all(connection)
        projected: int = await connection.fetchval(_PROJECTED)
        if projected != progress.events:
            why = f"{projected} are projected by the counters, and {progress.events} by the checkpoints"
            return replace(found, count=found.count + 1, named=(Difference(EVENTS, "", why), *found.named))
        return found

    async def _put_in_place(self, connection: asyncpg.Connection) -> float:
        """Exchange the tables. For how many milliseconds readers were kept out."""
        if self.definitions != await signature(connection, self.schemas, self.tables):
            raise NotRebuilt("a live table was changed since the rebuild was begun: run `rebuild --restart`")
        script = await exchange(connection, self.schemas, self.tables)
        names = ", ".join(f"{self.schemas.live}.{table.name}" for table in self.tables)
        began = time.monotonic()
        await connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        await connection.execute(script)
        return (time.monotonic() - began) * 1000


async def _wait_at_most(connection: asyncpg.Connection, milliseconds: int) -> None:
    await connection.execute(_BOUND, str(milliseconds))
