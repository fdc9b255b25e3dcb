"""Heartbeat: keeps leases and registration alive from a task and a connection of its own, whatever the step does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from eventstore.errors import StoreUnsound
from eventstore.sqlstates import kind_of

log = structlog.get_logger()

Beat = Callable[[], Awaitable[object]]


class Heartbeat:
    """Runs `beats` one after another every `every_s` seconds, each for `within_s` seconds at the most.

    `on_unsound` is called when one finds the store unsound. While `waiting` says that the projector may not work, the
    beats after one that failed are left out. A defect ends it.
    """

    def __init__(
        self,
        beats: Sequence[Beat],
        *,
        every_s: float,
        within_s: float,
        on_unsound: Callable[[], None],
        waiting: Callable[[], bool],
    ) -> None:
        self._beats: Final = beats
        self._every_s: Final = every_s
        self._within_s: Final = within_s
        self._on_unsound: Final = on_unsound
        self._waiting: Final = waiting

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            for beat in self._beats:
                if not await self._beats_on(beat):
                    break

    async def _beats_on(self, beat: Beat) -> bool:
        """False when the rest of the beats has to wait for the next time."""
        try:
            async with asyncio.timeout(self._within_s):
                await beat()
        except StoreUnsound:
            # The one who works says so.
            self._on_unsound()
        except Exception as error:
            if self._waiting():
                return False
            if kind_of(error) == "defect":
                raise
            log.warning("heartbeat missed", error=str(error) or "Postgres gave no answer in time")
        return True
