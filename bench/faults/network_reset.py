"""Every connection between the services and Postgres is reset (RST): neither end is told anything in order."""

from __future__ import annotations

from typing import Final

from bench.faults.relay.disturbed import Disturbed
from bench.faults.relay.strike import Seen, Strike
from bench.platforms.postgres.network import Order


def _told(seen: Seen) -> str:
    if not (seen.ended and seen.under_way):
        return ""
    return f"{seen.ended} connection(s) were reset at both ends, {seen.under_way} with a statement under way"


STRIKE: Final = Strike("reset", Order(end="reset"), _told)


class Fault(Disturbed):
    """Hit: connections were reset, with statements under way."""

    def __init__(self) -> None:
        super().__init__(STRIKE)
