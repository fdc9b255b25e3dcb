"""Notifications alone are lost between Postgres and the projectors: they poll, and find out that they are deaf."""

from __future__ import annotations

from typing import Final

from bench.faults.relay.disturbed import Disturbed
from bench.faults.relay.strike import Seen, Strike
from bench.platforms.postgres.network import Network, Order


def _told(seen: Seen) -> str:
    return f"{seen.notifications:,} notification(s) vanished, and nothing else" if seen.notifications else ""


STRIKE: Final = Strike(
    "notifications", Order(network=Network(notifications=False), lasts_s=2.0), _told, to_projectors=True
)
"""Longer than two heartbeats of a listener."""


class Fault(Disturbed):
    """Hit: notifications were swallowed on their way."""

    def __init__(self) -> None:
        super().__init__(STRIKE)
