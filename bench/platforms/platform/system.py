"""The platform protocol, and a system under test: what is known of it, and its powers by the part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from bench.platforms.platform.powers import Backends, Change, Disk, Kill, Kind, LacksPower, Part, Pause, Start
from bench.platforms.postgres.logins import Logins
from bench.platforms.processes import Process, Processes
from bench.preflight.examination import Doctor
from bench.preflight.settings import Settings
from metrics.records.surroundings import Postgres, Versions
from metrics.target import Target


@dataclass(frozen=True)
class Leaders:
    """The first process of each part on this machine, by the part's name; all below it are the part's.

    `generator` is the load generator. A part whose processes can not be seen from here is not there; `reason` says why
    the system's processes can not be told from those of others, and is empty where they can.
    """

    parts: Mapping[str, int]
    reason: str = ""


class Platform(Protocol):
    """Where a system runs. It is asked for its parts; whoever chose it has started what it needs."""

    @property
    def name(self) -> str:
        """As results and refusals call it."""
        ...

    def parts(self) -> list[Part]:
        """What the system is made of, in the order of their start; empty where nothing can be reached but its API."""
        ...

    def leaders(self) -> Leaders:
        """Which processes of this machine are the system's, as of now. Cheap: asked once a second. Raises nothing."""
        ...

    def versions(self) -> Versions:
        """Python, packages and the project's revision that the system runs."""
        ...

    def start_loadgen(self, folder: Path) -> Process:
        """Start the load generator, which leaves its files in `folder`."""
        ...


@dataclass(frozen=True)
class System:
    """A running system under test, and what is known of it. `processes` are those that the bench has started for it.

    `logins` and `postgres` are None where it has no Postgres that the bench can reach, `doctor` where none was asked.
    `has_store`: its store is ours, and can be read. `further`: of several shards, the logins of all but the first;
    `before`: of its last shard alone, those of the shards before it.
    """

    platform: Platform
    settings: Settings
    base_url: str
    logins: Logins | None
    postgres: Postgres | None
    doctor: Doctor | None
    processes: Processes
    influx: Target | None
    has_store: bool = True
    further: tuple[Logins, ...] = ()
    before: tuple[Logins, ...] = ()

    @property
    def database_url(self) -> str | None:
        """Where the bench itself asks the server of its activity and its counters; None without a Postgres."""
        return self.logins.oracle if self.logins else None

    @property
    def store_url(self) -> str | None:
        """Where the bench reads our own tables; None of a target that has others, or none."""
        return self.database_url if self.has_store else None

    @property
    def shards(self) -> tuple[Logins, ...]:
        """The logins of each shard in their order; empty of a system whose Postgres can not be reached."""
        return () if self.logins is None else (*self.before, self.logins, *self.further)

    def last_shard(self) -> System:
        """The same system, with the store of its last shard alone: logins and server are its own."""
        *before, last = self.shards
        return replace(self, logins=last, further=(), before=tuple(before))

    @property
    def store_urls(self) -> list[str]:
        """The same of each shard, in their order; empty of a target that has no tables of ours."""
        return [logins.oracle for logins in self.shards] if self.has_store else []

    def parts(self, kind: Kind) -> list[Part]:
        """The parts of one kind; of the last shard alone its server, and none of those before it."""
        found = [part for part in self.platform.parts() if part.kind == kind]
        return found[len(self.before) :] if kind == "postgres" else found

    def start(self, part: Part) -> None:
        """Start a part again. Raises SetupError where the platform can not, RunFailed where it does not get ready."""
        if not isinstance(part, Start):
            raise self._lacks(Start, part.kind)
        part.start()

    def stop(self, part: Part) -> None:
        """Stop a part in order. Raises SetupError where the platform can not."""
        if not isinstance(part, Start):
            raise self._lacks(Start, part.kind)
        part.stop()

    def restart(self, part: Part) -> None:
        """Stop a part in order and start it again. Raises as `start`."""
        if not isinstance(part, Start):
            raise self._lacks(Start, part.kind)
        part.restart()

    def start_with(self, part: Part, settings: Mapping[str, str]) -> None:
        """Start a part that was stopped with these variables above its own. Raises as `start`."""
        if not isinstance(part, Change):
            raise self._lacks(Change, part.kind)
        part.start_with(settings)

    def kill(self, part: Part) -> None:
        """End a part as a crash would. Raises SetupError where the platform can not."""
        if not isinstance(part, Kill):
            raise self._lacks(Kill, part.kind)
        part.kill()

    def pause(self, part: Part) -> None:
        """Freeze a part. Raises SetupError where the platform can not."""
        if not isinstance(part, Pause):
            raise self._lacks(Pause, part.kind)
        part.pause()

    def resume(self, part: Part) -> None:
        """Let a frozen part go on. Raises SetupError where the platform can not."""
        if not isinstance(part, Pause):
            raise self._lacks(Pause, part.kind)
        part.resume()

    def freeze_backend(self, part: Part, pid: int) -> bool:
        """Freeze one backend of a server; False where it has none. Raises SetupError where the platform can not."""
        if not isinstance(part, Backends):
            raise self._lacks(Backends, part.kind)
        return part.freeze(pid)

    def thaw_backend(self, part: Part, pid: int) -> None:
        """Let a frozen backend go on. Raises SetupError where the platform can not."""
        if not isinstance(part, Backends):
            raise self._lacks(Backends, part.kind)
        part.thaw(pid)

    def disk(self, part: Part) -> Disk:
        """The power over a server's disk. Raises SetupError where the platform has none."""
        if not isinstance(part, Disk):
            raise self._lacks(Disk, part.kind)
        return part

    def require(self, kind: Kind, *powers: type[Any]) -> None:
        """Make sure of a part of the kind and of the powers over it. Raises SetupError."""
        found = self.parts(kind)
        for power in powers:
            if not found or not isinstance(found[0], power):
                raise self._lacks(power, kind)

    def _lacks(self, power: type[Any], kind: Kind) -> LacksPower:
        return LacksPower(self.platform.name, power, kind)
