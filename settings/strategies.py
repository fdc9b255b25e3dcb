"""The ordering strategy: in which order events take effect, and what keeps two projectors off the same work.

* `global-order`: one lease, and one projector at a time that walks the log in its order (`SERIAL_PROJECTION=true`);
* `stream-leases`: one lease a stream, held across statements, shown while it is held, taken over when its holder dies;
* `stream-locks`: claim and batch are one statement, so the lock on a stream's row is the lease, and nothing is held
  between two statements. A handler that costs time needs a lease.
"""

from __future__ import annotations

from typing import Final, cast, get_args

from settings.catalogue.projection import HANDLER_LATENCY_MS, SERIAL_PROJECTION, STRATEGY, Strategy
from settings.environment import Environment, SettingError

ALL: Final[tuple[Strategy, ...]] = get_args(Strategy)


def read(env: Environment, *, serial: bool | None = None, parallel: Strategy = "stream-leases") -> Strategy:
    """STRATEGY. Unset, it follows `serial`, or else SERIAL_PROJECTION; in parallel mode it is `parallel`.

    Raises SettingError for one that is unknown, of the other mode, or can not have the handler's cost.
    """
    told = serial if serial is not None else _told(env)
    given = STRATEGY.optional(env)
    if given is None:
        return "global-order" if told else parallel
    strategy = cast(Strategy, given)
    if told is not None and told != is_serial(strategy):
        expected = "global-order in serial mode" if told else f"{' or '.join(ALL[1:])} in parallel mode"
        raise SettingError(STRATEGY.name, strategy, f"{expected}, or nothing")
    if strategy == "stream-locks" and HANDLER_LATENCY_MS.read(env):
        raise SettingError(
            STRATEGY.name, strategy, "stream-leases with HANDLER_LATENCY_MS: a handler that costs time needs a lease"
        )
    return strategy


def is_serial(strategy: Strategy) -> bool:
    """Whether one projector at a time works, in the order of the log."""
    return strategy == "global-order"


def _told(env: Environment) -> bool | None:
    """What SERIAL_PROJECTION says, None where it is not set."""
    return SERIAL_PROJECTION.given(env, SERIAL_PROJECTION.read)
