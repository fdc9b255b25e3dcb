"""The projector's settings: one frozen object, made from the environment before any work."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Self, cast

from eventstore.connection.bounds import BOUNDS, Bounds
from eventstore.connection.wakeup import HEARTBEAT_S
from eventstore.visibility.safe_position import Visibility
from settings import Environment, shared, strategies
from settings.addresses import postgres_url
from settings.strategies import Strategy


@dataclass(frozen=True)
class Settings:
    """What one projector process is told.

    `listen_url` is where it listens for notifications, if not where `database_url` leads.
    `name` identifies the holder of leases and must be unique among running projectors. `handler_latency` is an
    artificial cost in seconds, paid for each event before its effect. `poll` is how long a projector that hears the
    calls may go without looking for work. `linger` spaces the starts of batches on a busy system (see `rate_limit`).
    `health_file` is where `pulse` writes; None: nowhere. `bounds` limits what Postgres may take; `heartbeat` is how
    often, in seconds, its listener makes sure that it hears.
    """

    database_url: str
    listen_url: str | None = None
    strategy: Strategy = "stream-leases"
    name: str = "projector"
    handler_latency: float = 0.0
    streams_in_flight: int = 500
    events_per_stream: int = 200
    events_per_batch: int = 20_000
    events_per_window: int = 5000
    lease: timedelta = timedelta(seconds=5)
    poll: float = 2.0
    linger: float = 0.005
    attempts: int = 5
    visibility: Visibility = "watermark"
    log_level: str = "info"
    health_file: Path | None = None
    bounds: Bounds = BOUNDS
    heartbeat: float = HEARTBEAT_S

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
        streams in flight that somebody set holds here too.
        """
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
        health_file = env.optional("HEALTH_FILE")
        unique = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        return cls(
            database_url=postgres_url.required(env, "DATABASE_URL"),
            listen_url=postgres_url.read(env, "LISTEN_URL"),
            strategy=strategies.read(env, parallel=_in_parallel(env, job=job)),
            name=env.text("PROJECTOR_NAME", unique),
            handler_latency=shared.HANDLER_LATENCY_MS.read(env) / 1000,
            streams_in_flight=shared.STREAMS_IN_FLIGHT.read(env),
            lease=timedelta(seconds=shared.LEASE_SECONDS.read(env)),
            poll=shared.POLL_MS.read(env) / 1000,
            linger=shared.LINGER_MS.read(env) / 1000,
            attempts=shared.RETRY_ATTEMPTS.read(env),
            visibility=cast(Visibility, shared.VISIBILITY.read(env)),
            log_level=shared.LOG_LEVEL.read(env),
            health_file=Path(health_file) if health_file else None,
            bounds=Bounds.from_env(env),
            heartbeat=shared.LISTEN_HEARTBEAT_MS.read(env) / 1000,
        )


def _in_parallel(env: Environment, *, job: bool) -> Strategy:
    """The strategy of parallel mode where none is named: nobody waits for a job's leases, and locks are faster."""
    return "stream-locks" if job and not shared.HANDLER_LATENCY_MS.read(env) else "stream-leases"
