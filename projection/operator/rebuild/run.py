"""Rebuild of read models from the log, from the first piece to the switch, beside appends, reads and projectors.

Fills the shadow by the names of the streams, then what batches have changed since, by the audit, until little is left;
then switches. Broken off at any moment it leaves the live tables as they were, and the next call goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from eventstore.errors import StoreError
from projection.hooks import Hook, no_hook
from projection.operator.rebuild.compared import Compared
from projection.operator.rebuild.filling import Filling
from projection.operator.rebuild.fold import Fold
from projection.operator.rebuild.making import Making
from projection.operator.rebuild.outcome import Rebuilt
from projection.operator.rebuild.record import LEASE_S, Record
from projection.operator.rebuild.schemas import Schemas, Table, tables_of
from projection.operator.rebuild.switch import Conditions, Switch, Switched
from projection.operator.rebuild.work import Work
from projection.operator.steps import Steps
from projection.read_model import ReadModels

RELEASE_S: Final = 2.0
"""So long a rebuild that is broken off tries to let go of its lease."""


@dataclass
class Rebuild:
    """One call of the command, over the read models `models`; `holder` is its name.

    `restart` begins again from nothing; `mend` switches although live rows differ; it rests `pause_s` seconds after
    each piece. `hook` is called at `made`, `filled` (after each piece), `fenced`, and, within the transaction of the
    switch, at `locked`, `caught up`, `compared` and `switched`.
    """

    steps: Steps
    models: ReadModels
    holder: str
    restart: bool = False
    mend: bool = False
    pause_s: float = 0.0
    hook: Hook = no_hook
    conditions: Conditions = field(default_factory=Conditions)

    async def run(self) -> Rebuilt:
        """Rebuild and switch; or tell which live rows differ, and leave them.

        Raises NotRebuilt, OtherRebuild, and as `Steps.run`: then the live tables are as they were.
        """
        schemas = await self.steps.run(Schemas.of)
        tables = await self.steps.run(lambda connection: tables_of(connection, schemas, self.models))
        record = Record(schemas, self.holder, LEASE_S + self.pause_s)
        definitions = await Making(self.steps, self.models, schemas, tables, record).take(restart=self.restart)
        switched = False
        try:
            await self.hook("made")
            done = await self._under_way(schemas, tables, record, definitions)
            switched = done.switched
            return done
        finally:
            if not switched:
                # Else the record is gone with the shadow. Without it the next call waits for the end of the lease.
                with contextlib.suppress(StoreError, TimeoutError, asyncpg.UndefinedTableError):
                    async with asyncio.timeout(RELEASE_S):
                        await self.steps.run(record.release)

    async def _under_way(self, schemas: Schemas, tables: list[Table], record: Record, definitions: str) -> Rebuilt:
        compared = Compared(self.models, schemas)
        filling = Filling(Fold(self.models), compared)
        switch = Switch(schemas, tables, record, filling, compared, definitions, self.mend, self.conditions, self.hook)
        work = Work(self.steps, schemas, tables, record, filling, compared, self.pause_s, self.hook)
        began = time.monotonic()
        while True:
            await work.fill()
            await work.until_undisturbed()
            passes = await work.catch_up()
            done = await self.steps.run(switch.attempt)
            if done.end in ("switched", "differs"):
                return self._told(done, work, time.monotonic() - began, passes)
            self.steps.progress(f"the switch is tried again: {done.end}")

    def _told(self, done: Switched, work: Work, seconds: float, passes: int) -> Rebuilt:
        return Rebuilt(
            read_models=tuple(model.name for model in self.models),
            streams=done.progress.streams,
            events=done.progress.events,
            filled=done.progress.events - (work.had or 0),
            seconds=seconds,
            switched=done.end == "switched",
            differing=done.differences.count,
            differences=done.differences.named,
            mendable=done.differences.mendable,
            passes=passes,
            projectors_ms=done.projectors_ms,
            readers_ms=done.readers_ms,
        )
