"""What our own system has beyond its manifest, and what any other has in its place.

Ours: a database role for each process, the check of modules, the doctor, the projectors' moments, and the wait for the
global order. All of it hangs on our own schema, so nothing of it is asked of another target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from bench.platforms.local.database import Database, with_roles
from bench.platforms.preparation import environment, examined, require_modules
from bench.platforms.processes import Processes
from bench.preflight.examination import Doctor
from bench.preflight.global_order import catch_up
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from metrics.raw.moments import SUFFIX
from settings.children import PYTHON

Table = Literal["migrate", "api", "projector"]
"""The process's table in the manifest."""


class Kind(Protocol):
    """Asked and told in the order of a start."""

    @property
    def doctor(self) -> Doctor | None:
        """What the examination of its database found; None where nothing is examined."""
        ...

    @property
    def told(self) -> str:
        """How its projectors order events, in words."""
        ...

    def require(self) -> None:
        """Before anything is started. Raises SetupError."""
        ...

    def reached(self, database: Database | None, processes: Processes) -> None:
        """Its database is there."""
        ...

    def migrating(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """What its migration is told beside its manifest: arguments, and variables."""
        ...

    def migrated(self, progress: Progress) -> None:
        """Its migration has ended. Raises SetupError, RunFailed."""
        ...

    def started(self, progress: Progress) -> None:
        """All of its processes run. Raises RunFailed."""
        ...

    def environment(self) -> dict[str, str]:
        """What each process is given beneath what the manifest tells."""
        ...

    def of_projector(self, holder: str) -> dict[str, str]:
        """What a projector is given besides."""
        ...

    def address(self, table: Table) -> str | None:
        """The address of the database for a process, of the first of several shards; None without one."""
        ...

    def of_shards(self, table: Table) -> Sequence[str]:
        """The addresses of several shards for a process, in their order; none where there is one."""
        ...


class Ours:
    """Our own system: `log` is where projectors leave their moments."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.told = settings.strategy
        self.doctor: Doctor | None = None
        self._settings = settings
        self._log = log
        self._database: Database
        self._processes: Processes

    def require(self) -> None:
        """A projector's process judges its strategy and read models."""
        require_modules(self._settings)

    def reached(self, database: Database | None, processes: Processes) -> None:
        """Note them."""
        assert database is not None
        self._database, self._processes = database, processes

    def migrating(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """To make the roles of a server of the run's own."""
        logins = self._database.logins
        return with_roles(logins), logins.passwords

    def migrated(self, progress: Progress) -> None:
        """Examine the database."""
        self.doctor = examined(self._settings, self._of("migrate"), progress)

    def started(self, progress: Progress) -> None:
        """In serial mode on a store that is not empty, the cursor is walked to the end first."""
        if self._settings.mode == "serial" and self._settings.database_url is not None:
            progress.step("waiting for the global order to be walked to its end")
            catch_up(self._database.logins.oracle, self._processes.check)

    def environment(self) -> dict[str, str]:
        """The settings of the run."""
        return environment(self._settings)

    def of_projector(self, holder: str) -> dict[str, str]:
        """Where it leaves its moments, for the waterfall."""
        return {"MOMENTS_FILE": str(self._log.resolve() / f"{holder}{SUFFIX}")}

    def address(self, table: Table) -> str:
        """By the role of the process."""
        return self._of(table)[0]

    def of_shards(self, table: Table) -> Sequence[str]:
        """By the role of the process."""
        return urls if len(urls := self._of(table)) > 1 else ()

    def _of(self, table: Table) -> list[str]:
        role = {"migrate": "owner"}.get(table, table)
        return [getattr(one.logins, role) for one in self._database.shards]


class Others:
    """Any other target: what its manifest says, and no more."""

    doctor = None
    told = "as its manifest starts them"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database: Database | None = None

    def require(self) -> None:
        """Nothing."""

    def reached(self, database: Database | None, processes: Processes) -> None:
        """Note its database."""
        self._database = database

    def migrating(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Nothing."""
        return (), {}

    def migrated(self, progress: Progress) -> None:
        """Nothing."""

    def started(self, progress: Progress) -> None:
        """Nothing."""

    def environment(self) -> dict[str, str]:
        """Where programs, their libraries and temporary files are."""
        return PYTHON.environment()

    def of_projector(self, holder: str) -> dict[str, str]:
        """Nothing: its manifest has its name."""
        return {}

    def address(self, table: Table) -> str | None:
        """One for all."""
        return self._database.plain if self._database else None

    def of_shards(self, table: Table) -> Sequence[str]:
        """It has none."""
        return ()
