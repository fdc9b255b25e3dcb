"""Each mutant with the drill that is to find it, how it gets in, what is in its place, and what names its defect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PLANTED: Final = "tests.mutants.drills.planted"
EARLY: Final = "tests/mutants/drills/acknowledged-early"
SHORT: Final = {"VUS": "20", "WARMUP": "0s", "CONVERGENCE_MAX": "40s"}
IN_HAND: Final = {"LEASE_SECONDS": "1", "HANDLER_LATENCY_MS": "20", "DURATION": "8s"}
"""Handlers that cost something, so that leases are in hand at every moment, and run out soon."""


@dataclass(frozen=True)
class Pair:
    """A mutant, the drill that it is played in, and the variables of that run above those of all.

    `planted` brings the mutant in, `control` has the system as it is in its place. `finds` are the counts of the oracle
    that name the defect. Where the defect is that the system does not come back, `named` is the pattern of the run's
    own reason that says so.
    """

    mutant: str
    drill: str
    settings: Mapping[str, str]
    planted: Mapping[str, str]
    control: Mapping[str, str]
    finds: frozenset[str] = frozenset()
    named: str = ""

    @property
    def key(self) -> str:
        """As the command line calls it."""
        return self.mutant.replace(" ", "-")

    def environment(self, *, mutant: bool) -> dict[str, str]:
        """All variables of the run: with the mutant, or without it."""
        return {**SHORT, **self.settings, **(self.planted if mutant else self.control)}


def strategy(name: str) -> dict[str, str]:
    """Projectors that work by it."""
    return {"STRATEGY": name}


PAIRS: Final = (
    Pair(
        "no fence",
        "zombie-projector",
        IN_HAND,
        strategy(f"{PLANTED}.no_fence"),
        strategy("stream-leases"),
        finds=frozenset({"doubled"}),
    ),
    Pair(
        "checkpoint first",
        "kill-projector",
        IN_HAND,
        strategy(f"{PLANTED}.checkpoint_first"),
        strategy("stream-leases"),
        finds=frozenset({"lost"}),
    ),
    Pair(
        "no guard",
        "change-mode",
        {},
        strategy(f"{PLANTED}.no_guard"),
        strategy("global-order"),
        finds=frozenset({"doubled"}),
    ),
    Pair(
        "swallowed error",
        "poison",
        {},
        strategy(f"{PLANTED}.swallowed_error"),
        strategy("stream-leases"),
        finds=frozenset({"lost"}),
    ),
    Pair(
        "acknowledged before commit",
        "kill-api",
        {"VUS": "50", "WARMUP": "3s", "DURATION": "15s"},
        {"TARGET": EARLY},
        {"TARGET": f"{EARLY}:as-it-is"},
        finds=frozenset({"lost", "wrong_rows"}),
    ),
    Pair(
        "time limit taken for poison",
        "timeouts",
        {"RETRY_ATTEMPTS": "1", "DURATION": "10s"},
        strategy(f"{PLANTED}.time_limit_as_poison"),
        strategy("global-order"),
        named=r"blocked; .*Postgres is busy: canceling statement due to",
    ),
)
"""Nothing is poison in the last one, so whatever is blocked there, and by a limit of the server's, is the defect."""
