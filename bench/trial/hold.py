"""Hold, the bench's half: let all projectors of a system stand still and go on again, as the load generator orders it.

Each is stopped between two batches, so that it holds no lock that users wait for, as one that was ended for a deploy
holds none; where the store is none of ours, wherever it is, which is told. Whatever becomes of the run, they go on when
it is closed.
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
from metrics.records.sections.hold import ASKED, Clock, Order, Told, asked, tell

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
NO_PROJECTOR: Final = "the target has no projector process of its own that could stand still"


class Hold:
    """The hold of one run, whose files are in `folder`. `tick` is called again and again meanwhile."""

    def __init__(self, system: System, folder: Path) -> None:
        self._system = system
        self._folder = folder
        self._carried_out: Order | None = None
        self._databases: list[OpenConnection] = []
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
            for database in self._databases:
                database.close()
            with suppress(OSError):
                (self._folder / ASKED).unlink(missing_ok=True)

    def _power(self) -> Told:
        if self._system.settings.projectors == 0:
            return Told("left out", NO_PROJECTOR)
        try:
            self._system.require("projector", Pause)
        except LacksPower as lack:
            return Told("left out", f"{lack.name} {lack.problem}")
        return Told("ready")

    def _stand_still(self) -> Told:
        parts = self._system.parts("projector")
        try:
            if self._system.store_url is not None:
                self._databases += [OpenConnection(logins.owner) for logins in self._system.shards]
            within = [not self._stop(part) for part in parts]
            self._stood_at = self._now()
        except (SetupError, RunFailed, *ERRORS) as error:
            self._wake()
            return Told("left out", f"the projectors could not be stopped: {error}")
        return Told(
            "standing",
            projectors=len(parts),
            within_batch=sum(within) if self._databases else None,
            stood_at=self._stood_at,
            clock=self._clock,
        )

    @property
    def _clock(self) -> Clock:
        return "database" if self._databases else "machine"

    def _now(self) -> float:
        """Seconds since the epoch, by the database's clock where it can be asked: of several shards by the first's."""
        return self._databases[0].now().timestamp() if self._databases else time.time()

    def _stop(self, part: Part) -> bool:
        """Stop a projector; False where it was never found between two batches, and has stopped within one."""
        self._stopped.append(part)
        if not self._databases:
            self._system.pause(part)
            return True
        for _ in range(ATTEMPTS):
            since = [database.now() for database in self._databases]
            self._system.pause(part)
            if not any(one.value(AT_WORK, part.holder, at) for one, at in zip(self._databases, since, strict=True)):
                return True
            self._system.resume(part)
            signals.check()
            time.sleep(uniform(*APART_S))
        self._system.pause(part)
        return False

    def _go_on(self) -> Told:
        if not self._stopped:
            return Told("left out", "no projector stands still")
        stopped = len(self._stopped)
        try:
            before = self._now()
            self._wake()
            after = self._now()
        except ERRORS as error:
            raise RunFailed(f"the database did not tell when the projectors went on: {error}") from error
        return Told(
            "going on",
            projectors=stopped,
            within_batch=0 if self._databases else None,
            stood_at=self._stood_at,
            went_on_at=before,
            resolution_s=max(after - before, 0.0),
            clock=self._clock,
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
