"""Making of the shadow: made anew, or taken over from a rebuild that was broken off; refused while one is at work."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from typing import Final

import asyncpg

from projection.operator.rebuild import definition
from projection.operator.rebuild.record import Held, OtherRebuild, Record
from projection.operator.rebuild.schemas import NotRebuilt, Schemas, Table
from projection.operator.steps import Steps
from projection.read_model import ReadModels

LOOK_S: Final = 0.5


@dataclass
class Making:
    """One call's way to its shadow."""

    steps: Steps
    models: ReadModels
    schemas: Schemas
    tables: list[Table]
    record: Record

    async def take(self, *, restart: bool) -> str:
        """Make a shadow, or go on with one that nobody is at work at. Returns what the live tables are.

        Waits for the end of a lease that is not prolonged any more. Raises OtherRebuild, NotRebuilt.
        """
        seen: Held | None = None
        until = time.monotonic() + self.steps.patience_s
        while True:
            found = await self.steps.run(lambda connection: self._take(connection, restart=restart))
            if isinstance(found, str):
                return found
            if time.monotonic() > until or (seen and (seen.holder, seen.until) != (found.holder, found.until)):
                raise OtherRebuild(f"a rebuild is at work: {found.holder}; wait for its end, or end it")
            seen = found
            self.steps.progress(f"waiting for the lease of {found.holder} to end: {found.left_s:.1f} s")
            await asyncio.sleep(LOOK_S)

    async def _take(self, connection: asyncpg.Connection, *, restart: bool) -> Held | str:
        shadow = self.schemas.shadow
        names = tuple(model.name for model in self.models)
        held = await self.record.held(connection)
        if held and (held.left_s > 0 or not await self.record.take(connection)):
            return held
        definitions = await definition.signature(connection, self.schemas, self.tables)
        made_by = _digest(definitions, self.models)
        if held and restart:
            await connection.execute(f"DROP SCHEMA {shadow} CASCADE")
            held = None
        if held is None:
            if await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", shadow):
                raise NotRebuilt(f"there is a schema {shadow} that no rebuild has made: drop it, or call it otherwise")
            await connection.execute(f"CREATE SCHEMA {shadow}")
            await definition.make(connection, self.schemas, self.tables)
            await self.record.make(connection, names, made_by)
        elif held.read_models != names:
            raise NotRebuilt(
                f"a rebuild of {', '.join(held.read_models)} was broken off: run that to its end, or begin with this"
                " one by `--restart`"
            )
        elif held.made_by != made_by:
            raise NotRebuilt(
                "a live table, or the code of a read model, was changed since the rebuild was begun: run it with"
                " `--restart`"
            )
        return definitions


def _digest(definitions: str, models: ReadModels) -> str:
    """What a shadow is made of, tables and SQL: another one, if either was changed."""
    parts = [
        repr((one.name, one.refusal, one.fold, one.newest, one.invariant, one.effect, one.skipped)) for one in models
    ]
    return hashlib.sha256("\n".join([definitions, *parts]).encode()).hexdigest()
