"""Latency and jitter between the services and Postgres: every answer takes longer, and none is lost."""

from __future__ import annotations

from typing import Final

from bench.faults.relay.disturbed import Disturbed
from bench.faults.relay.strike import Seen, Strike
from bench.platforms.postgres.network import Network, Order, Way

FAR: Final = Way(latency_ms=10.0, jitter_ms=20.0)
"""In each direction, so a round trip takes 20 to 60 ms more."""


def _told(seen: Seen) -> str:
    return f"{seen.delayed:,} bytes of statements and answers came 10 to 30 ms late" if seen.delayed else ""


STRIKE: Final = Strike("latency and jitter", Order(network=Network(FAR, FAR), lasts_s=2.0), _told)


class Fault(Disturbed):
    """Hit: bytes of statements and answers were held back."""

    def __init__(self) -> None:
        super().__init__(STRIKE)
