"""A network that carries one direction alone: first the answers of Postgres vanish, then what it is asked."""

from __future__ import annotations

from typing import Final

from bench.faults.relay.disturbed import Disturbed
from bench.faults.relay.strike import Seen, Strike
from bench.platforms.postgres.network import Order, silence


def _answers(seen: Seen) -> str:
    if not (seen.half_open and seen.swallowed_down) or seen.swallowed_up:
        return ""
    return f"{seen.swallowed_down:,} bytes of answers vanished on {seen.half_open} connection(s), nothing was closed"


def _requests(seen: Seen) -> str:
    if not (seen.half_open and seen.swallowed_up):
        return ""
    return f"{seen.swallowed_up:,} bytes of requests vanished on {seen.half_open} connection(s), nothing was closed"


ANSWERS: Final = Strike("answers", Order(network=silence(up=False), lasts_s=1.0), _answers)
"""What was asked is done, and whoever asked does not learn of it."""
REQUESTS: Final = Strike("requests", Order(network=silence(down=False), lasts_s=1.0), _requests)


class Fault(Disturbed):
    """Hit: bytes of one direction vanished on connections that neither end had closed; then of the other."""

    def __init__(self) -> None:
        super().__init__(ANSWERS, REQUESTS)
