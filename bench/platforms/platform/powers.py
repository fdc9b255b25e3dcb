"""Parts of a system, and the powers over a part: to stop, kill, pause, change, replace or disturb it.

A power is a small protocol of its own. A platform gives a part the powers that it has; one that it lacks is simply not
there, and whoever needs it is refused by the names of power, part and platform before anything begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Protocol, runtime_checkable

from bench.ends.errors import SetupError
from bench.platforms.postgres.network import Order, Told

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


class LacksShards(SetupError):
    """The store of the platform's system is of fewer shards than are asked for."""
