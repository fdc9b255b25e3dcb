"""Network namespaces as hosts (`ip netns`): each has one cable to a bridge, which is in a namespace of its own.

The machine's own namespace gets no interface, no address and no route, so nothing in it can reach a host: what talks to
one is started in one. There is no default route, and addresses are of TEST-NET-2 (RFC 5737). Needs Linux and root.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from bench.ends import signals
from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.perf.row import Unmeasured
from settings.children import PROGRAM

NETWORK: Final = "198.51.100"
FIRST: Final = 10
CABLE: Final = "eth0"
BRIDGE: Final = "bridge"
REMEDY: Final = "it needs Linux, root, and Debian's iproute2"


@dataclass(frozen=True)
class Host:
    """One namespace; `address` is where others find it."""

    name: str
    namespace: str
    address: str

    @property
    def program(self) -> tuple[str, ...]:
        """What stands before a program that runs there, and Python as the program."""
        return ("ip", "netns", "exec", self.namespace, sys.executable)


class Hosts:
    """Hosts by their names; `cut` and `mend` a cable."""

    def __init__(self, names: Sequence[str], prefix: str) -> None:
        self._all: Final = {
            name: Host(name, f"{prefix}{name}", f"{NETWORK}.{FIRST + number}") for number, name in enumerate(names)
        }
        self._switch: Final = f"{prefix}{BRIDGE}"

    def __getitem__(self, name: str) -> Host:
        return self._all[name]

    @property
    def namespaces(self) -> list[str]:
        """All of them, the bridge's first."""
        return [self._switch, *(host.namespace for host in self._all.values())]

    def connect(self) -> None:
        """Put up the bridge, and a cable from it to each host. Raises RunFailed."""
        ip("-n", self._switch, "link", "add", "name", BRIDGE, "type", "bridge")
        ip("-n", self._switch, "link", "set", "dev", BRIDGE, "up")
        for host in self._all.values():
            end = ["peer", "name", CABLE, "netns", host.namespace]
            ip("-n", self._switch, "link", "add", "name", host.name, "type", "veth", *end)
            ip("-n", self._switch, "link", "set", "dev", host.name, "master", BRIDGE, "up")
            ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", CABLE)
            for link in ("lo", CABLE):
                ip("-n", host.namespace, "link", "set", "dev", link, "up")

    def also_at(self, name: str, address: str) -> None:
        """The host takes what comes for one more address, which others do not look for by themselves."""
        ip("-n", self[name].namespace, "address", "add", f"{address}/32", "dev", "lo")

    def route(self, name: str, address: str, via: str) -> None:
        """The host reaches that address by way of another host."""
        ip("-n", self[name].namespace, "route", "add", f"{address}/32", "via", self[via].address)

    def cut(self, name: str) -> None:
        """Set the host's cable down: nothing reaches it or comes from it, and nobody is told."""
        ip("-n", self._switch, "link", "set", "dev", name, "down")

    def mend(self, name: str) -> None:
        """Set it up again."""
        ip("-n", self._switch, "link", "set", "dev", name, "up")

    def received(self, name: str) -> int:
        """Bytes that came to the host over its cable."""
        (link,) = json.loads(ip("-n", self[name].namespace, "-json", "-statistics", "link", "show", "dev", CABLE))
        return int(link["stats64"]["rx"]["bytes"])


@contextmanager
def hosts(names: Sequence[str], guardian: Guardian) -> Iterator[Hosts]:
    """Namespaces of this process, joined; gone at the end of the block, and should this process be killed.

    A name is that of a link, too, so it has at most 15 characters. Raises Unmeasured where there can be none.
    """
    made, added = Hosts(names, f"tidemark-{os.getpid()}-"), list[str]()
    try:
        with signals.held():
            for namespace in made.namespaces:
                _add(namespace, guardian)
                added.append(namespace)
            made.connect()
        signals.check()
        yield made
    finally:
        with signals.held():
            _remove(added, guardian)


def listed() -> set[str]:
    """The namespaces of this machine that have a name."""
    return {line.split()[0] for line in ip("netns", "list").splitlines() if line.strip()}


def ip(*arguments: str) -> str:
    """Run `ip`; what it prints. Raises RunFailed."""
    try:
        done = ask(["ip", *arguments], PROGRAM.environment())
    except NoAnswer as silence:
        raise RunFailed(f"ip {' '.join(arguments)}: {silence}") from None
    if done.returncode != 0:
        raise RunFailed(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def _add(namespace: str, guardian: Guardian) -> None:
    # Told first: this process may be killed at any moment, and to delete what was never made does nothing.
    guardian.run(_delete(namespace), PROGRAM.environment())
    try:
        ip("netns", "add", namespace)
    except RunFailed as failure:
        _take_back(namespace, guardian)
        raise Unmeasured(f"no network namespace can be made ({failure}); {REMEDY}") from None


def _take_back(namespace: str, guardian: Guardian) -> None:
    """Delete it if it is there."""
    with suppress(NoAnswer):
        ask(_delete(namespace), PROGRAM.environment())
    guardian.spare(_delete(namespace))


def _delete(namespace: str) -> list[str]:
    return ["ip", "netns", "delete", namespace]


def _remove(added: Sequence[str], guardian: Guardian) -> None:
    """Each on its own, whatever became of the others. Raises RunFailed for what is left."""
    for namespace in added:
        _take_back(namespace, guardian)
    if added and (left := listed().intersection(added)):
        raise RunFailed(f"namespaces are left: {', '.join(sorted(left))}; `ip netns delete` each")
