"""The ordering strategy: in which order events take effect, and what keeps two projectors off the same work.

A strategy is a file of `projection/ordering`, or somebody else's module by its dotted path. What one has to know of it
to judge settings it declares itself, in constants that are read from its source:

* `SERIAL`: one projector at a time works, in the order of the log;
* `COSTLY_HANDLER`: a handler may cost time (HANDLER_LATENCY_MS);
* `LEASES`: it holds leases between its statements, so that somebody else takes over when a projector is gone.
"""

from __future__ import annotations

from settings import plugins
from settings.catalogue.projection import HANDLER_LATENCY_MS, SERIAL_PROJECTION, STRATEGY, Strategy
from settings.environment import Environment, SettingError

NOT_TOLD: Strategy = "not told"
"""In the place of a strategy, and of a handler, where a target orders by none of ours: it holds no lease of ours."""
IN_SERIAL: Strategy = "global-order"
IN_PARALLEL: Strategy = "stream-leases"
"""What a mode works by where no strategy is named."""


def told(strategy: str) -> str:
    """A strategy as a result has it; empty where nobody told it."""
    return "" if strategy == NOT_TOLD else strategy


def offered() -> tuple[Strategy, ...]:
    """Those that come with us."""
    return plugins.offered(STRATEGY.package)


def read(env: Environment, *, serial: bool | None = None, parallel: Strategy = IN_PARALLEL) -> Strategy:
    """STRATEGY. Unset, it follows `serial`, or else SERIAL_PROJECTION; in parallel mode it is `parallel`.

    Raises SettingError for one that is unknown, of the other mode, or can not have the handler's cost.
    """
    told = serial if serial is not None else _told(env)
    given = STRATEGY.optional(env)
    if given is None:
        return IN_SERIAL if told else parallel
    if told is not None and told != is_serial(given):
        raise SettingError(STRATEGY.name, given, f"{_of_mode(serial=told)}, or nothing")
    if HANDLER_LATENCY_MS.read(env) and not _declares(given, "COSTLY_HANDLER"):
        raise SettingError(
            STRATEGY.name, given, f"{IN_PARALLEL} with HANDLER_LATENCY_MS: a handler that costs time needs a lease"
        )
    return given


def is_serial(strategy: Strategy) -> bool:
    """Whether one projector at a time works, in the order of the log. Raises SettingError for what is not there."""
    return _declares(strategy, "SERIAL")


def holds_leases(strategy: Strategy) -> bool:
    """Whether a projector at work has leases in hand. Raises SettingError for what is not there."""
    return _declares(strategy, "LEASES")


def _declares(strategy: Strategy, constant: str) -> bool:
    if strategy == NOT_TOLD:
        return False
    said = plugins.declared(STRATEGY.name, STRATEGY.package, strategy).get(constant)
    if not isinstance(said, bool):
        raise SettingError(STRATEGY.name, strategy, f"a strategy, which says {constant} = True or False")
    return said


def _of_mode(*, serial: bool) -> str:
    names = " or ".join(one for one in offered() if is_serial(one) == serial)
    return f"{names} in {'serial' if serial else 'parallel'} mode"


def _told(env: Environment) -> bool | None:
    """What SERIAL_PROJECTION says, None where it is not set."""
    return SERIAL_PROJECTION.given(env, SERIAL_PROJECTION.read)
