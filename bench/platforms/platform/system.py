"""The platform protocol: a system under test, the parts that it is made of, and the powers over a part.

A power is a small protocol of its own. A platform gives a part the powers that it has; one that it lacks is simply not
there, and whoever needs it is refused by the names of power, part and platform before anything begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Protocol, runtime_checkable

from bench.ends.errors import SetupError
from bench.platforms.postgres.logins import Logins
from bench.platforms.postgres.network import Order, Told
from bench.platforms.processes import Process, Processes
from bench.preflight.examination import Doctor
from bench.preflight.settings import Settings
from metrics.records.surroundings import Postgres, Versions
from metrics.target import Target

Kind = Literal["api", "projector", "postgres", "network"]
"""What a part does in the system; there may be several of one kind."""


class Part(Protocol):
    """One part of a running system. `name` tells it from the others of its kind."""

    @property
    def kind(self) -> Kind: ...

    @property
    def name(self) -> str: ...

    @property
    def holder(self) -> str:
        """The name under which a projector holds leases since its last start; empty for other parts."""
        ...

    def logs(self) -> str:
        """What it has written so far, the last lines at least."""
        ...


@runtime_checkable
class Start(Protocol):
    """The power to stop a part in order, and to start it again. Each returns when that is done. Raises RunFailed."""

    def start(self) -> None:
        """Start a part that was stopped or killed, and wait until it is ready."""
        ...

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and wait until it has."""
        ...

    def restart(self) -> None:
        """Stop it in order, then start it."""
        ...


@runtime_checkable
class Kill(Protocol):
    """The power to end a part as a crash would: SIGKILL to all of its processes; nothing starts it again by itself."""

    def kill(self) -> None:
        """Returns when it is dead."""
        ...


@runtime_checkable
class Pause(Protocol):
    """The power to freeze all processes of a part and to let them go on, as if no time had passed for them."""

    def pause(self) -> None:
        """Freeze it; its connections stay open and silent."""
        ...

    def resume(self) -> None:
        """Let it go on; harmless for one that is not frozen."""
        ...


@runtime_checkable
class Backends(Protocol):
    """The power to freeze one backend of a Postgres server, by its process id, and to let it go on."""

    def freeze(self, pid: int) -> bool:
        """SIGSTOP to that child of the server; False where it has no such child."""
        ...

    def thaw(self, pid: int) -> None:
        """SIGCONT to a frozen one; harmless for any other, and for one that has ended."""
        ...


@runtime_checkable
class Disk(Protocol):
    """The power to give a Postgres server a small file system of its own, to take its room, and to give it back."""

    def small_disk(self) -> Path:
        """Mount it, empty and with room; it goes when the server goes. Raises SetupError where it can not be had."""
        ...

    def fill_disk(self) -> None:
        """Leave no more room than for a few pages. Raises RunFailed."""
        ...

    def empty_disk(self) -> None:
        """Give it its room again; harmless where it has it. Raises RunFailed."""
        ...


@runtime_checkable
class Change(Protocol):
    """The power to start a part that was stopped with other settings than those of the run."""

    def start_with(self, settings: Mapping[str, str]) -> None:
        """Start it with these variables above its own, and wait until it is ready. Its next start has them no more."""
        ...


@runtime_checkable
class Replace(Protocol):
    """The power to replace the processes of a part one after another, while the others of them answer (rolling)."""

    def replace(self) -> None:
        """Returns when none of the former ones is left. Raises RunFailed."""
        ...


@runtime_checkable
class Disturb(Protocol):
    """The power over the network between the services and Postgres: all that they say goes through a relay.

    A platform has it where it was asked for the relay before the services were started.
    """

    def disturb(self, order: Order) -> Told:
        """Carry an order out, and tell what the relay has counted since its start. Raises RunFailed."""
        ...


_WORDS: Final[dict[type, str]] = {
    Start: "start and stop",
    Kill: "kill",
    Pause: "pause",
    Backends: "freeze a backend of",
    Disk: "give a small file system to",
    Change: "change the settings of",
    Disturb: "disturb",
}


class LacksPower(SetupError):
    """The platform has no such part, or not this power over it."""

    def __init__(self, platform: str, power: type[Any], kind: Kind) -> None:
        super().__init__(
            f"platform {platform}",
            f"has no power to {_WORDS[power]} the {kind}",
            "use a platform that has it: unset BASE_URL and DATABASE_URL for a system of this machine's processes",
        )


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
