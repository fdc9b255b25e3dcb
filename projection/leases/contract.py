"""What leases on streams guarantee. Every implementation passes one suite, `tests/contract`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """A term on one stream. Holder and epoch fence every later operation; a takeover raises the epoch by 1.

    `projected` is the last version projected and `version` the head, both as claimed.
    """

    stream: str
    holder: str
    epoch: int
    projected: int
    version: int


class Leases(Protocol):
    """One lease per stream, granted only for streams that have unprojected events.

    All times are the store's clock; `now` replaces it in tests.
    """

    async def claim(self, holder: str, *, limit: int, ttl: timedelta, now: datetime | None = None) -> list[Lease]:
        """Lease up to `limit` streams that have a backlog, and that nobody holds: never leased, given back, or expired.

        Those whose oldest unprojected event waits longest are taken, and returned in no particular order. A stream
        that is blocked, or waits for its next attempt, is not. Each grant raises the stream's epoch by 1. Two claims
        never return the same stream while its lease runs. Streams being claimed elsewhere are passed over, not waited
        for.
        """
        ...

    async def renew(self, leases: Sequence[Lease], *, ttl: timedelta, now: datetime | None = None) -> list[Lease]:
        """Prolong the leases, all of one holder, that are still held, to `ttl` from now; return those.

        One that is being acknowledged at this moment may be left as it is.
        """
        ...

    async def acknowledge(self, lease: Lease, version: int, *, now: datetime | None = None) -> None:
        """Move the stream's checkpoint to `version` and end the lease.

        Raises ValueError when `version` is not between the checkpoint and the head that the lease tells; LeaseLost
        when the lease has expired, ended or passed on. Nothing is written then.
        """
        ...

    async def release(self, leases: Sequence[Lease]) -> None:
        """End the leases, all of one holder, that it has not lost, without moving any checkpoint."""
        ...
