"""The watch of a store looks again, whatever a look ends with, and tells what does not pass by itself."""

from __future__ import annotations

import asyncio

import asyncpg

from eventstore.connection.database import Database
from eventstore.errors import StoreUnavailable
from eventstore.soundness.check import Check
from eventstore.soundness.findings import Finding
from eventstore.soundness.watch import Watch

UNSOUND = (Finding("rights", "none", "grant them"),)
DEFECT = asyncpg.UndefinedFunctionError("no such function")


class Looks(Check):
    """Ends with one after the other, and then finds the store sound."""

    def __init__(self, *ends: Exception | tuple[Finding, ...]) -> None:
        super().__init__({})
        self._ends = list(ends)
        self.all_taken = asyncio.Event()

    async def look(self, _: Database) -> tuple[Finding, ...]:
        if not self._ends:
            self.all_taken.set()
            return ()
        end = self._ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


async def test_a_defect_is_told_once_and_the_next_look_is_taken() -> None:
    told: list[str] = []
    failed: list[Exception] = []
    bug = TypeError("a bug")
    check = Looks(StoreUnavailable("away"), DEFECT, DEFECT, UNSOUND, DEFECT, bug, ConnectionResetError())
    watch = Watch(check, told.append, failed.append, every=0)
    watch.start(Database("postgresql://nobody@127.0.0.1:1/nothing"))
    async with asyncio.timeout(10):
        await check.all_taken.wait()
    await watch.close()
    assert failed == [DEFECT, DEFECT, bug]
    assert [bool(reason) for reason in told] == [True, False]
