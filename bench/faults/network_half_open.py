"""Half-open connections: packets to and from Postgres vanish, nothing is closed, and new connections hang."""

from __future__ import annotations

from typing import Final

from bench.faults.relay.disturbed import Disturbed
from bench.faults.relay.strike import Seen, Strike
from bench.platforms.postgres.network import Order, silence


def _told(seen: Seen) -> str:
    if not (seen.half_open and seen.swallowed_up):
        return ""
    return (
        f"{seen.half_open} connection(s) were half-open: {seen.swallowed_up:,} bytes stayed without an answer, and"
        " neither end was closed"
    )


STRIKE: Final = Strike("half-open", Order(network=silence(), lasts_s=1.0), _told)
"""Shorter than a statement's time limit: the services find out by themselves that those connections are dead."""


class Fault(Disturbed):
    """Hit: bytes were sent into connections that neither end had closed, and none of them was answered."""

    def __init__(self) -> None:
        super().__init__(STRIKE)
