"""The fault protocol: set-up, invoke, heal, and the evidence that it hit. One file a fault in `bench/faults`.

A fault's module has a class `Fault` that is made without arguments. A stranger's is named by the dotted path of its
module, found by PYTHONPATH.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from types import ModuleType
from typing import Any, Final, Literal, Protocol, get_args

from bench.ends.errors import SetupError
from bench.platforms.platform import System
from bench.preflight.settings import Settings
from metrics.records.fault import Takeover
from settings import plugins
from settings.catalogue.projection import Strategy

PACKAGE: Final = "bench.faults"
VARIABLE: Final = "fault"

Sharded = Literal["all", "last"]
Stats = Mapping[str, Any]
"""The document of GET /stats."""


class NotApplicable(SetupError):
    """The system as it runs here has nothing that the fault could strike."""


def require_projectors(system: System) -> None:
    """Make sure that the target has projectors of its own. Raises NotApplicable."""
    if system.settings.projectors == 0:
        raise NotApplicable("PROJECTORS", "the target has no projector process of its own", "choose another fault")


def require_shards(name: str, fault: Fault, settings: Settings) -> None:
    """Make sure that the fault knows several shards where there are some. Raises NotApplicable."""
    if settings.shards > 1 and getattr(fault, "sharded", None) not in get_args(Sharded):
        problem = f"{name} does not say what it strikes of several shards"
        raise NotApplicable("SHARDS", problem, "leave SHARDS out, or choose another fault")


def struck(fault: Fault, system: System) -> System:
    """The system as the fault is given it: of several shards that can be reached the last alone, if it strikes that."""
    last = len(system.shards) > 1 and getattr(fault, "sharded", None) == "last"
    return system.last_shard() if last else system


def nobody_else(settings: Settings, instead: str) -> tuple[str, str]:
    """Why nobody takes over from the only projector, and what to do: `instead` where the target can have no second."""
    problem, most = "nobody would take over from the only projector", settings.target.most_projectors
    if most < 2:
        return f"{problem}, and {settings.target.name} has {most} at most by its manifest", instead
    return problem, "set PROJECTORS=2 or more"


def chance(system: System, fault: str) -> Random:
    """What a fault draws its choices from: the seed of the run, apart from what the load draws from it."""
    return Random(f"{system.settings.seed}/{fault}/choices")


@dataclass(frozen=True)
class Evidence:
    """What a fault did. `hit` says whether it struck work in hand; one that did not proves nothing.

    `what` is told to people: part, deed and proof, in words.
    """

    hit: bool
    what: str
    holder: str = ""
    takeover: Takeover = field(default_factory=Takeover)


class Fault(Protocol):
    """What a drill does to a running system. All of it is called from one thread, between looks at `/stats`.

    One that applies to several shards, too, says what it strikes there (`sharded`): "all", or the "last" of them, which
    it is given as if there were no other, with the counts of events of that one; any other is refused there.
    One with `relayed = True` strikes the network: its system is started with a relay between services and Postgres.
    """

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Settings under which it hits, by variable; what the user sets stands above them."""
        ...

    def set_up(self, system: System) -> None:
        """Before the load: choose the parts, and make sure of the powers over them. Raises SetupError."""
        ...

    def invoke(self, stats: Stats) -> bool:
        """In the load phase: strike, and say so; False where this is not the moment, then it is asked again."""
        ...

    def watch(self, stats: Stats | None) -> bool:
        """After the strike, again and again to the end of the run: take in what is seen, None where the API is silent.

        True once there is nothing more to see before it heals.
        """
        ...

    def heal(self) -> None:
        """Put the system back; also called when a run is broken off after the strike."""
        ...

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """What came of it; `loadgen` is what the load generator told at its end, `errors` by kind among it."""
        ...


@dataclass(frozen=True)
class Plan:
    """A fault by its name, `after_s` seconds into the load phase. Without `heal` the system stays as it was struck."""

    fault: str
    after_s: float
    heal: bool = True


def relayed(plan: Plan | None) -> bool:
    """Whether the services reach Postgres through a relay in this run: a fault of the network says so by `relayed`."""
    return plan is not None and bool(getattr(load(plan.fault), "relayed", False))


def names() -> tuple[str, ...]:
    """The faults that there are here."""
    return plugins.offered(PACKAGE)


def load(name: str) -> Fault:
    """A fault by its name or its module's dotted path. Raises SettingError, SetupError."""
    module: ModuleType = plugins.load(VARIABLE, PACKAGE, name)
    make = getattr(module, "Fault", None)
    if not callable(make):
        raise SetupError(f"{VARIABLE} {name}", "its module has no class Fault", "see bench/trial/fault.py")
    with plugins.refused(VARIABLE, name, "a class Fault that is made without arguments"):
        found: Fault = make()
    return found
