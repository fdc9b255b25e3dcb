"""The peers: targets of other frameworks, each driven by its `load` program through its public API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bench.ends.errors import SetupError
from bench.perf.lab import Lab
from bench.perf.row import Measure, Reading, Unmeasured
from bench.platforms.targets import folder
from settings.targets import reader
from settings.targets.manifest import Manifest

REBUILT: Final = 20_000
"""Events of a peer's rebuild: enough for a steady rate, which does not rise with more."""


@dataclass(frozen=True)
class Peer:
    """A target and its program that makes the loads. `label` names it where its store is another engine."""

    name: str
    program: str
    label: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> Manifest:
        """Its manifest. Raises SettingError."""
        return reader.load(self.name)

    @property
    def shown(self) -> str:
        """What the table calls it."""
        return self.label or self.name

    def run(self, lab: Lab, url: str, *arguments: str) -> dict[str, Any]:
        """The load's document. Raises Unmeasured where the target is not installed, RunFailed."""
        try:
            place = folder.opened(self.target)
        except SetupError as problem:
            raise Unmeasured(f"{problem.problem}; {folder.TO_INSTALL}") from None
        language = place.python if self.program.endswith(".py") else place.node
        return lab.command([language, self.program, *arguments], {"DATABASE_URL": url, **self.variables}, cwd=place.cwd)


PEERS: Final = (
    Peer("eventsourcing", "load.py"),
    Peer("emmett", "load.mjs"),
    Peer("act", "load.ts", "act-sqlite", {"LOG_LEVEL": "error"}),
)


def versions() -> dict[str, str]:
    """The peers' versions, and where what is said of act comes from."""
    told = {peer.shown: peer.target.version for peer in PEERS}
    return {**told, "act": "@rotorsoft/act 1.31 with act-pg 1.19, not installable here; not from this run"}


def appends(lab: Lab, load: str, seconds: float) -> Mapping[str, Measure]:
    """Events/s that each peer appends: `many` streams with many writers, or one `hot` stream with one."""
    return {peer.shown: _each_fresh(lab, peer, "append", load, str(seconds)) for peer in PEERS}


def rebuilds(lab: Lab) -> Mapping[str, Measure]:
    """Events/s that each peer projects from a history, into a table with its tracking in the same transaction."""
    return {peer.shown: _each_fresh(lab, peer, "rebuild", str(lab.size(REBUILT))) for peer in PEERS}


def _each_fresh(lab: Lab, peer: Peer, *arguments: str) -> Measure:
    def measure() -> Reading:
        with lab.bare_database() as url:
            found = peer.run(lab, url, *arguments)
        return Reading(found.pop("events_per_s"), found)

    return measure
