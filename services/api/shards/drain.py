"""Wake-up of one shard's projectors on request: debounced, and counted in its store."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from eventstore.connection.wakeup import Notifier
from eventstore.postgres import Database
from eventstore.schema import SLOTS
from projection.stats import count_drain

DEBOUNCE_S: Final = 0.02
"""Calls within this time of another are answered by one further wake-up at its end."""


class Drain:
    """Wakes the projectors on request, at most once each `DEBOUNCE_S`, and counts the wake-ups in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._notifier = Notifier(database, interval=DEBOUNCE_S)
        self._slot = random.randrange(SLOTS)
        self._counted: asyncio.Task[None] | None = None

    async def ask(self) -> bool:
        """Returns when the wake-up is counted; True when the call joined another's. Raises StoreUnavailable."""
        first = self._notifier.nudge()
        if first or self._counted is None:
            self._counted = asyncio.create_task(count_drain(self._database, self._slot))
        await asyncio.shield(self._counted)
        return not first

    async def close(self) -> None:
        """Let the wake-up that is on its way go out."""
        await self._notifier.close()
