"""Preconditions of a projector, checked at each session's start and with each heartbeat.

The store is sound (`eventstore.soundness`), and is projected by the read models that this process has
(`projection.registry.read_models`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from eventstore.connection.database import Database
from eventstore.errors import StoreUnsound
from eventstore.shards.hash_slots import Place
from eventstore.soundness.check import Check, require
from eventstore.soundness.rights import PROJECTOR, merged
from projection.registry import read_models as registered
from services.projector import read_models
from services.projector.settings import Settings

log = structlog.get_logger()


def needed(settings: Settings, place: Place | None = None) -> Check:
    """The global order counts where it is read, and not as the control that must fail."""
    order = settings.serial and settings.visibility == "watermark"
    models = read_models.load(settings.read_models)
    return Check(merged(PROJECTOR, *(model.project for model in models)), order=order, place=place)


class Preconditions:
    """Says why the projector may not work now (`why`), in its log once for each reason."""

    def __init__(self, database: Database, check: Check, names: Sequence[str]) -> None:
        self._database: Final = database
        self._check: Final = check
        self._names: Final = names
        self.why = ""

    async def sound(self) -> None:
        """Before a registration, and at a job's end; `look` follows the registration. Raises as `look`.

        Who could not work the last time finds out first whether he may now, and stays known as waiting until then.
        """
        await self._look(listed=bool(self.why))

    async def look(self) -> None:
        """Raises StoreUnsound while something does not hold, StoreUnavailable without an answer."""
        await self._look(listed=True)

    async def _look(self, *, listed: bool) -> None:
        try:
            await require(self._database, self._check)
            if listed:
                await registered.agree(self._database, self._names)
        except StoreUnsound as error:
            self.broken(error)
            raise
        if self.why:
            log.info("store sound again")
        self.why = ""

    def broken(self, error: StoreUnsound) -> None:
        """Something does not hold, whoever found it."""
        if str(error) != self.why:
            log.warning("store unsound: waiting", reason=str(error))
        self.why = str(error)
