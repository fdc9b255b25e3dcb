"""Eligibility of a lease, the rule *may be claimed*: one definition for who claims and for who says when there is work.

A row may be claimed while it is not blocked, its next attempt is due, and its lease is free or has expired by the
database's clock. A stream must also be pending: it has events that are not projected.
"""

from __future__ import annotations

from typing import Final

from projection.pauses import SOON_S

CLOCK: Final = "clock_timestamp()"
NOW: Final = f"coalesce(:now ::timestamptz, {CLOCK})"
"""The database's clock, unless a test moves it."""

PENDING: Final = "pending_since IS NOT NULL AND blocked_at IS NULL"
"""Condition on a row of `streams`: it has work that needs no operator. The index on what is claimable has it, too."""

# The event may have taken effect by leases of streams, after a change of strategy. With OFFSET each look at a stream
# stays one lookup by name.
HALTED: Final = """(c.blocked_at IS NOT NULL AND NOT EXISTS (
  SELECT FROM streams s WHERE s.stream = c.stream AND s.projected >= c.version OFFSET 0))"""
"""Condition on a row `c` of `cursors`: it waits for an operator at one event, which has not taken effect yet."""

DUE_IN_S: Final = f"""(
  SELECT extract(epoch FROM min(greatest(leased_until, retry_at, {CLOCK} + interval '{SOON_S} s'))
                            - {CLOCK})::float8
    FROM streams
   WHERE {PENDING}
)"""
"""In how many seconds a pending stream may be claimed; NULL when no stream is pending, but blocked ones.

A stream that could be had now, and was not, is in somebody's hands.
"""


def stream(now: str) -> str:
    """Condition on a row of `streams`."""
    return f"{PENDING}\n     AND {_due(now)}"


def cursor(now: str) -> str:
    """Condition on a row `c` of `cursors`."""
    return f"NOT {HALTED}\n     AND {_due(now)}"


def _due(now: str) -> str:
    return f"""(leased_until IS NULL OR leased_until <= {now})
     AND (retry_at IS NULL OR retry_at <= {now})"""
