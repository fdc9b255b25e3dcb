"""Hold, the bench's half: let all projectors of a system stand still and go on again, as the load generator orders it.

Each is stopped between two batches, so that it holds no lock that users wait for, as one that was ended for a deploy
holds none. Whatever becomes of the run, they go on when it is closed.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from random import uniform
from typing import Final

from bench.ends import signals
from bench.ends.errors import RunFailed, SetupError
from bench.oracle.connection import ERRORS, OpenConnection
from bench.platforms.platform import LacksPower, Part, Pause, System
from metrics.reading import BadDocument
from metrics.records.sections.hold import ASKED, Order, Told, asked, tell

AT_WORK: Final = """
SELECT EXISTS (
  SELECT FROM pg_stat_activity AS session
   WHERE starts_with(application_name, left('projector ' || $1, 63)) AND datname = current_database()
     AND (state <> 'idle' OR state_change > $2
          OR EXISTS (SELECT FROM pg_locks WHERE pid = session.pid AND locktype = 'transactionid' AND granted))
)
"""
"""Whether a projector had a statement or a transaction under way. Of statements only some roles are told."""
ATTEMPTS: Final = 50
"""To find a projector between two batches, before it is stopped within one."""
APART_S: Final = (0.002, 0.02)


class Hold:
    """The hold of one run, whose files are in `folder`. `tick` is called again and again meanwhile."""

    def __init__(self, system: System, folder: Path) -> None:
        self._system = system
        self._folder = folder
        self._carried_out: Order | None = None
        self._database: OpenConnection | None = None
        self._stood_at: float | None = None
        self._stopped: list[Part] = []
        tell(folder, self._power())

    def tick(self) -> None:
        """Carry out a new order. Raises RunFailed, where projectors can not be brought to go on."""
        try:
            order = asked(self._folder)
        except BadDocument as error:
            raise RunFailed(f"an order of the load generator can not be read: {error}") from error
        if order is not None and order != self._carried_out:
            self._carried_out = order
            tell(self._folder, self._stand_still() if order == "stand still" else self._go_on())

    def close(self) -> None:
        """Let them go on, whatever became of the run, which has its own reason by now."""
        with signals.held():
            with suppress(RunFailed):
                self._wake()
            if self._database is not None:
                self._database.close()
            with suppress(OSError):
                (self._folder / ASKED).unlink(missing_ok=True)

    def _power(self) -> Told:
        try:
            self._system.require("projector", Pause)
        except LacksPower as lack:
            return Told("left out", f"{lack.name} {lack.problem}")
        if self._system.store_url is None:
            return Told("left out", "no store of ours tells whether a projector is between two batches")
        return Told("ready")

    def _stand_still(self) -> Told:
        try:
            assert self._system.logins is not None
            self._database = OpenConnection(self._system.logins.owner)
            within = sum(not self._stop(self._database, part) for part in self._system.parts("projector"))
            self._stood_at = self._database.now().timestamp()
        except (SetupError, RunFailed, *ERRORS) as error:
            self._wake()
            return Told("left out", f"the projectors could not be stopped: {error}")
        return Told("standing", projectors=len(self._stopped), within_batch=within, stood_at=self._stood_at)

    def _stop(self, database: OpenConnection, part: Part) -> bool:
        """Stop a projector; False where it was never found between two batches, and has stopped within one."""
        self._stopped.append(part)
        for _ in range(ATTEMPTS):
            since = database.now()
            self._system.pause(part)
            if not database.value(AT_WORK, part.holder, since):
                return True
            self._system.resume(part)
            signals.check()
            time.sleep(uniform(*APART_S))
        self._system.pause(part)
        return False

    def _go_on(self) -> Told:
        if self._database is None or not self._stopped:
            return Told("left out", "no projector stands still")
        stopped = len(self._stopped)
        try:
            before = self._database.now()
            self._wake()
            after = self._database.now()
        except ERRORS as error:
            raise RunFailed(f"the database did not tell when the projectors went on: {error}") from error
        return Told(
            "going on",
            projectors=stopped,
            stood_at=self._stood_at,
            went_on_at=before.timestamp(),
            resolution_s=(after - before).total_seconds(),
        )

    def _wake(self) -> None:
        """Let each go on, also where another one can not. Raises RunFailed for these."""
        failed: list[str] = []
        for part in self._stopped:
            try:
                self._system.resume(part)
            except (SetupError, RunFailed) as error:
                failed.append(str(error))
        if failed:
            raise RunFailed(f"projectors can not be brought to go on: {'; '.join(failed)}")
        self._stopped = []
