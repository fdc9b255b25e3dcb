"""Network faults before Postgres, one after another: latency, bandwidth, lost notifications, cut, reset, half-open.

Each of them is a fault of its own, too, and lasts longer there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from msgspec import structs

from bench.faults import (
    network_cut,
    network_half_open,
    network_latency,
    network_notifications,
    network_reset,
    network_slow,
)
from bench.faults.relay.disturbed import Disturbed
from bench.faults.relay.strike import Strike

SHORT_S: Final = 0.4
"""So that all of them strike under load."""


def _short(strike: Strike) -> Strike:
    return replace(strike, order=structs.replace(strike.order, lasts_s=SHORT_S))


class Fault(Disturbed):
    """Hit: each of them did."""

    def __init__(self) -> None:
        super().__init__(
            _short(network_latency.STRIKE),
            _short(network_slow.STRIKE),
            _short(network_notifications.STRIKE),
            network_cut.STRIKE,
            network_reset.STRIKE,
            network_half_open.STRIKE,
        )
