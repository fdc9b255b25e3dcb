"""What the faults of the network share: strikes one after another through the relay, each proven by what it counted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from bench.faults.relay.outage import Outage
from bench.faults.relay.strike import Count, Strike
from bench.platforms.platform import Disturb, System
from bench.platforms.postgres.network import Network, Order, Way
from bench.trial.fault import Evidence, NotApplicable, Stats, require_projectors
from settings import Environment
from settings.catalogue import database
from settings.catalogue.projection import Strategy

REST_S: Final = 0.2
"""Between two strikes the network is well for so long at least, and until the API answers."""
WELL: Final = Order(network=Network())
QUESTION: Final = Order()
HELD: Final = Order(network=Network(down=Way(latency_ms=1000.0)))
HELD_S: Final = 0.1
"""Before connections are ended, answers are held back for a moment, as statements take but a fraction of a millisecond:
so some are done, and whoever asked does not learn of it.
"""


class Disturbed:
    """A fault of the network. Hit: each of its strikes did, by what the relay counted."""

    relayed = True
    sharded = "last"

    def __init__(self, *strikes: Strike) -> None:
        self._left = list(strikes)
        self._network: Disturb
        self._bound_s: float | None = None
        self._counts: list[Count] = []
        self._until = 0.0
        self._resting = self._healed = False
        self._outage = Outage()

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Time limits in which a silence is noticed within the load phase; the load generator waits for the API."""
        return {
            "SILENCE_MAX": "60s",
            "STORE_TIMEOUT_MS": "2000",
            "STORE_CONNECT_TIMEOUT_MS": "1000",
            "LISTEN_HEARTBEAT_MS": "500",
        }

    def set_up(self, system: System) -> None:
        """Needs the power over the network between the services and Postgres. Strikes that a target without projectors
        has nothing for are left out; a fault of nothing else does not apply to it.
        """
        target = system.settings.target
        if target.store != "postgres":
            raise NotApplicable("TARGET", f"{target.name} has no Postgres to reach over a network", "choose another")
        if system.settings.projectors == 0:
            self._left = [strike for strike in self._left if not strike.to_projectors]
        if not self._left:
            require_projectors(system)
        system.require("network", Disturb)
        (self._network,) = (part for part in system.parts("network") if isinstance(part, Disturb))
        if target.ours:
            env = Environment(system.settings.environment())
            limits = (database.STORE_TIMEOUT_MS, database.STORE_CONNECT_TIMEOUT_MS)
            self._bound_s = max(limit.read(env) for limit in limits) / 1000

    def invoke(self, stats: Stats) -> bool:
        """The first strike."""
        self._outage.note(stats, time.monotonic())
        self._strike()
        return True

    def watch(self, stats: Stats | None) -> bool:
        """It heals when the last strike is over, which the relay ends by itself; between two, all is well for a moment.

        So it ends in time, also while `/stats` has no answer and this is not called.
        """
        now = time.monotonic()
        self._outage.note(stats, now)
        if self._healed:
            return True
        if not self._resting:
            self._counts[-1].note(self._network.disturb(QUESTION))
        if now < self._until:
            return False
        if not self._left:
            return True
        if not self._resting:
            self._rest()
        elif stats is not None:
            self._strike()
        return False

    def heal(self) -> None:
        """All passes again. A connection that has lost bytes stays silent, until it is given up."""
        self._network.disturb(WELL)
        self._healed = True

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """What each strike did, how long that was felt, and how long the API took to answer once all was well."""
        told = [f"{count.strike.name}: {count.words or 'nothing that it could strike'}" for count in self._counts]
        hit = not self._left and all(count.words for count in self._counts)
        return Evidence(hit=hit, what=f"{'; '.join(told)}; {self._felt()}")

    def _strike(self) -> None:
        strike = self._left.pop(0)
        before = self._network.disturb(QUESTION)
        if strike.order.end is not None:
            self._network.disturb(HELD)
            time.sleep(HELD_S)
        self._counts.append(Count(strike, before, self._network.disturb(strike.order)))
        if strike.order.end is not None:
            self._network.disturb(WELL)
        self._until, self._resting = time.monotonic() + strike.order.lasts_s, False
        self._outage.lasts_until(self._until)

    def _rest(self) -> None:
        self._network.disturb(WELL)
        self._until, self._resting = time.monotonic() + REST_S, True

    def _felt(self) -> str:
        seen = self._outage
        bound = "" if self._bound_s is None else f" (stated bound {self._bound_s:.1f} s)"
        after = "not seen to answer" if seen.answered_s is None else f"answered {seen.answered_s:.1f} s"
        deaf = f"; {seen.deaf} projector(s) said that they heard no notifications" if seen.deaf else ""
        return (
            f"the API gave no statistics for {seen.api_s:.1f} s, {after} after the heal{bound};"
            f" the projection stood for {seen.projection_s:.1f} s{deaf}"
        )
