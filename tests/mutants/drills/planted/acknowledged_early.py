"""Acknowledged before commit: `python -m` this module is our API, whose append statements commit after their answer.

Each runs in a transaction on a connection of its own, and counts in a slot of its own, so that only who writes to the
same stream waits for it. So at every moment under load there are answers whose commit is still to come.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Sequence
from typing import Final, cast

import asyncpg

from eventstore.append.general import Append
from eventstore.append.statements import RUN, Name, Run
from eventstore.connection.planner import PLANNER
from eventstore.errors import StoreError
from eventstore.events import Appended
from eventstore.schema import SLOTS
from services.api.__main__ import main

LATER_S: Final = 0.4
"""From the answer to the commit: long beside all that a request takes, so that a kill falls between; and less than an
append waits for a stream (`eventstore.append.general.PATIENCE`).
"""
RANDOM: Final = random.SystemRandom()
KEPT: Final = 80
"""So many events are acknowledged after their commit: a target that never does so is refused before any load, since the
check of the contract, which writes about fifty, reads its own writes.
"""


class Early:
    """Commits what was acknowledged already."""

    def __init__(self) -> None:
        self._open: set[asyncio.Task[None]] = set()
        self._kept = 0

    def by(self, run: Run) -> Run:
        """The same statement, whose commit comes after its answer."""

        async def answered(
            connection: asyncpg.Connection, appends: Sequence[Append], *, slot: int, wake: bool = False
        ) -> Sequence[Appended | StoreError | None]:
            if self._kept < KEPT:
                kept = await run(connection, appends, slot=slot, wake=wake)
                self._kept += sum(isinstance(outcome, Appended) for outcome in kept)
                return kept
            # In the place of the one that it is given, which goes back to its pool with the answer.
            own = await asyncpg.connect(os.environ["DATABASE_URL"], server_settings=dict(PLANNER))
            try:
                await own.execute("BEGIN")
                outcomes = await run(own, appends, slot=RANDOM.randrange(SLOTS), wake=wake)
            except BaseException:
                own.terminate()
                raise
            later = asyncio.create_task(_commit(own))
            self._open.add(later)
            later.add_done_callback(self._open.discard)
            return outcomes

        return answered


async def _commit(connection: asyncpg.Connection) -> None:
    await asyncio.sleep(LATER_S)
    await connection.execute("COMMIT")
    await connection.close()


if __name__ == "__main__":
    early, statements = Early(), cast(dict[Name, Run], RUN)
    statements.update({name: early.by(run) for name, run in RUN.items()})
    sys.exit(main())
