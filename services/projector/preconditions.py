"""Preconditions of a projector (`eventstore.soundness`), checked at each session's start and with each heartbeat."""

from __future__ import annotations

from typing import Final

import structlog

from eventstore.connection.database import Database
from eventstore.errors import StoreUnsound
from eventstore.soundness.check import Check, require
from eventstore.soundness.rights import PROJECTOR, merged
from services.projector import read_models
from services.projector.settings import Settings

log = structlog.get_logger()


def needed(settings: Settings) -> Check:
    """The global order counts where it is read, and not as the control that must fail."""
    order = settings.serial and settings.visibility == "watermark"
    models = read_models.load(settings.read_models)
    return Check(merged(PROJECTOR, *(model.project for model in models)), order=order)


class Preconditions:
    """Says why the projector may not work now (`why`), in its log once for each reason."""

    def __init__(self, database: Database, check: Check) -> None:
        self._database: Final = database
        self._check: Final = check
        self.why = ""

    async def look(self) -> None:
        """Raises StoreUnsound while something does not hold, StoreUnavailable without an answer."""
        try:
            await require(self._database, self._check)
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
