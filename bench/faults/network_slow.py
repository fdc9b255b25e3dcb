"""A narrow network between the services and Postgres: bytes trickle, and none is lost."""

from __future__ import annotations

from typing import Final

from bench.faults.relay.disturbed import Disturbed
from bench.faults.relay.strike import Seen, Strike
from bench.platforms.postgres.network import Network, Order, Way

NARROW: Final = Way(bytes_per_s=64_000)
"""On each connection, in each direction."""


def _told(seen: Seen) -> str:
    return f"{seen.delayed:,} bytes of statements and answers passed at 64 kB/s" if seen.delayed else ""


STRIKE: Final = Strike("slow", Order(network=Network(NARROW, NARROW), lasts_s=2.0), _told)


class Fault(Disturbed):
    """Hit: bytes of statements and answers were held back."""

    def __init__(self) -> None:
        super().__init__(STRIKE)
