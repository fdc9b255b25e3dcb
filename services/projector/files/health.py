"""Health file of a projector, for whoever watches its container: see `services.health`.

It is alive while its event loop turns, and ready while the store has heard of it within the time of a lease. So a store
that is away makes it unready, and never dead: a restart would not bring the store back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from services.health import HealthFile

EVERY_S: Final = 1.0

log = structlog.get_logger()


class HealthWriter:
    """Writes the health file every second while `run` runs. Without a path it does nothing.

    `deaf` says why notifications are not heard, empty while they are: the projector is slower then, and ready.
    `waits_for` says why it may not work, empty while it may. `of`: it tells of these, which are one process's.
    """

    def __init__(self, path: Path | None, lease: timedelta, *, of: Sequence[HealthWriter] = ()) -> None:
        self._file: Final = HealthFile(path) if path else None
        self._lease_s: Final = lease.total_seconds()
        self._of: Final = of
        self._heard_at: float | None = None
        self.deaf = ""
        self.waits_for = ""

    def heard(self) -> None:
        """The store has taken in a sign of life."""
        self._heard_at = time.monotonic()

    async def run(self) -> None:
        """Write until cancelled; then the file is gone."""
        if self._file is None:
            return
        try:
            while True:
                self._write(self._file)
                await asyncio.sleep(EVERY_S)
        finally:
            self._file.remove()

    def why_not_ready(self) -> str:
        """Empty while ready."""
        if self._of:
            return " · ".join(dict.fromkeys(filter(None, (one.why_not_ready() for one in self._of))))
        if self.waits_for:
            return self.waits_for
        if self._heard_at is None:
            return "the store has not heard of this projector yet"
        silent = time.monotonic() - self._heard_at
        return f"the store has not heard of this projector for {silent:.0f} s" if silent > self._lease_s else ""

    def _write(self, file: HealthFile) -> None:
        try:
            deaf = " · ".join(dict.fromkeys(filter(None, (one.deaf for one in self._of or (self,)))))
            file.write(self.why_not_ready(), note=f"notifications are not heard: {deaf}" if deaf else "")
        except OSError as error:
            log.warning("health file not written", error=str(error))
