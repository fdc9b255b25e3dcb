"""Every connection between the services and Postgres is cut: both ends are closed, and new ones are made at once."""

from __future__ import annotations

from typing import Final

from bench.faults.relay.disturbed import Disturbed
from bench.faults.relay.strike import Seen, Strike
from bench.platforms.postgres.network import Order


def _told(seen: Seen) -> str:
    if not (seen.ended and seen.under_way):
        return ""
    return f"{seen.ended} connection(s) were closed at both ends, {seen.under_way} with a statement under way"


STRIKE: Final = Strike("cut", Order(end="cut"), _told)


class Fault(Disturbed):
    """Hit: connections were closed, with statements under way."""

    def __init__(self) -> None:
        super().__init__(STRIKE)
