"""The projector's settings: one frozen object, made from the environment before any work."""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self, cast

from eventstore.connection.bounds import BOUNDS, Bounds
from eventstore.visibility.safe_position import Visibility
from settings import UNSET, Environment, SettingError, strategies
from settings.catalogue import database, observation, projection
from settings.catalogue.projection import HandlerKind, Strategy

_STRATEGY: Final = strategies.read(UNSET)
_HANDLER: Final = cast(HandlerKind, projection.HANDLER.read(UNSET))
_VISIBILITY: Final = cast(Visibility, projection.VISIBILITY.read(UNSET))


SMALL: Final[Mapping[str, Any]] = {"events_per_batch": 500, "events_per_window": 500}
"""Where each event is a round trip and more: a transaction has its streams' rows, and appends to them wait for it."""


@dataclass(frozen=True)
class Settings:
    """What one projector process is told.

    `database_url` is the first shard's address, `further_urls` those of the others; it serves the shards of these
    numbers (`served`; None: all). `listen_url` is where it listens for notifications, if not at the store's address.
    `name` identifies the holder of leases and must be unique among running projectors. `handler_latency` is an
    artificial cost in seconds, paid for each event before its effect. `poll` is how long a projector that hears the
    calls may go without looking for work. `linger` spaces the starts of batches on a busy system (see `rate_limit`).
    `health_file` is where `health` writes, `moments_file` where `moments` does at the end; None: nowhere. `bounds`
    limits what Postgres may take; `heartbeat` is how often, in seconds, its listener makes sure that it hears.
    """

    database_url: str
    further_urls: tuple[str, ...] = ()
    served: tuple[int, ...] | None = None
    listen_url: str | None = None
    strategy: Strategy = _STRATEGY
    handler: HandlerKind = _HANDLER
    read_models: tuple[str, ...] = projection.READ_MODELS.read(UNSET)
    name: str = "projector"
    handler_latency: float = projection.HANDLER_LATENCY_MS.read(UNSET) / 1000
    streams_in_flight: int = projection.STREAMS_IN_FLIGHT.read(UNSET)
    events_per_stream: int = 200
    events_per_batch: int = 20_000
    events_per_window: int = 5000
    lease: timedelta = timedelta(seconds=projection.LEASE_SECONDS.read(UNSET))
    poll: float = projection.POLL_MS.read(UNSET) / 1000
    linger: float = projection.LINGER_MS.read(UNSET) / 1000
    attempts: int = projection.RETRY_ATTEMPTS.read(UNSET)
    visibility: Visibility = _VISIBILITY
    log_level: str = observation.LOG_LEVEL.read(UNSET)
    health_file: Path | None = None
    moments_file: Path | None = None
    bounds: Bounds = BOUNDS
    heartbeat: float = projection.LISTEN_HEARTBEAT_MS.read(UNSET) / 1000

    @property
    def database_urls(self) -> tuple[str, ...]:
        """The address of each shard, in their order."""
        return (self.database_url, *self.further_urls)

    @property
    def serial(self) -> bool:
        """Whether one projector at a time works, in the order of the log."""
        return strategies.is_serial(self.strategy)

    @property
    def mode(self) -> str:
        """`serial` or `parallel`."""
        return "serial" if self.serial else "parallel"

    def for_a_job(self) -> Self:
        """The same for `--once`: nobody waits for the first of its transactions, so they may be large.

        Those who append to a stream wait while a transaction has its row: some seconds at the most. A bound on the
        streams in flight that somebody set holds here too. With a function for each event they stay small: it takes a
        round trip and more for each.
        """
        if self.handler == "each":
            return self
        unset = self.streams_in_flight == type(self).streams_in_flight and not self.handler_latency
        streams = 2_000 if unset else self.streams_in_flight
        return replace(
            self,
            streams_in_flight=streams,
            events_per_batch=max(self.events_per_batch, streams * self.events_per_stream),
            events_per_window=max(self.events_per_window, 1_000_000),
        )

    @classmethod
    def from_env(cls, variables: Mapping[str, str], *, job: bool = False) -> Self:
        """Read the settings, of a job (`--once`) or of a projector that stays. Raises SettingError."""
        env = Environment(variables)
        first, *others = database.addresses(env)
        health_file, moments_file = projection.HEALTH_FILE.optional(env), projection.MOMENTS_FILE.optional(env)
        handler = cast(HandlerKind, projection.HANDLER.read(env))
        unique = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        return cls(
            database_url=first,
            further_urls=tuple(others),
            served=_served(env, 1 + len(others)),
            listen_url=database.listening(env, 1 + len(others)),
            strategy=strategies.read(env, parallel=_in_parallel(env, job=job)),
            handler=handler,
            read_models=projection.READ_MODELS.read(env),
            **(SMALL if handler == "each" else {}),
            name=projection.PROJECTOR_NAME.optional(env) or unique,
            handler_latency=projection.HANDLER_LATENCY_MS.read(env) / 1000,
            streams_in_flight=projection.STREAMS_IN_FLIGHT.read(env),
            lease=timedelta(seconds=projection.LEASE_SECONDS.read(env)),
            poll=projection.POLL_MS.read(env) / 1000,
            linger=projection.LINGER_MS.read(env) / 1000,
            attempts=projection.RETRY_ATTEMPTS.read(env),
            visibility=cast(Visibility, projection.VISIBILITY.read(env)),
            log_level=observation.LOG_LEVEL.read(env),
            health_file=Path(health_file) if health_file else None,
            moments_file=Path(moments_file) if moments_file else None,
            bounds=Bounds.from_env(env),
            heartbeat=projection.LISTEN_HEARTBEAT_MS.read(env) / 1000,
        )


def _served(env: Environment, shards: int) -> tuple[int, ...] | None:
    """The numbers of the shards that it serves, None for all."""
    named = projection.PROJECTOR_SHARDS.optional(env)
    if named is None:
        return None
    words = [word.strip() for word in named.split(",")]
    # Of a few digits: Python reads no number of thousands.
    numbers = {int(word) for word in words if re.fullmatch(r"\d{1,4}", word, re.ASCII)}
    if len(numbers) != len(words) or max(numbers) >= shards:
        raise SettingError(projection.PROJECTOR_SHARDS.name, named, f"numbers from 0 to {shards - 1}, with commas")
    return tuple(sorted(numbers))


def _in_parallel(env: Environment, *, job: bool) -> Strategy:
    """The strategy of parallel mode where none is named: nobody waits for a job's leases, and locks are faster."""
    return "stream-locks" if job and not projection.HANDLER_LATENCY_MS.read(env) else "stream-leases"
