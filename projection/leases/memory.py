"""Reference implementation of the leases: over a store in memory, in one process and one event loop.

No method awaits anything, so each is atomic. It is the yardstick that the leases on Postgres are compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from eventstore.errors import LeaseLost
from eventstore.memory import MemoryEventStore
from projection.leases.contract import Lease


@dataclass(slots=True)
class _Term:
    """What a stream remembers of its leases: `until` is None when nobody holds one.

    Not to be claimed before `retry_at`, nor while `blocked`.
    """

    projected: int = 0
    holder: str = ""
    epoch: int = 0
    until: datetime | None = None
    retry_at: datetime | None = None
    blocked: bool = False

    def free(self, now: datetime) -> bool:
        due = self.retry_at is None or self.retry_at <= now
        return due and not self.blocked and (self.until is None or self.until <= now)

    def names(self, lease: Lease) -> bool:
        return (self.holder, self.epoch) == (lease.holder, lease.epoch)

    def held(self, lease: Lease, now: datetime) -> bool:
        return self.until is not None and now < self.until and self.names(lease)


class MemoryLeases:
    """`Leases` on the streams of a memory store. The store's clock is used unless `now` is given."""

    def __init__(self, store: MemoryEventStore) -> None:
        self._store = store
        self._terms: dict[str, _Term] = {}

    async def claim(self, holder: str, *, limit: int, ttl: timedelta, now: datetime | None = None) -> list[Lease]:
        """Lease up to `limit` free or expired streams with a backlog, longest waiting first; see `Leases.claim`."""
        at = now or self._store.clock()
        free = [stream for stream in self._pending() if self._term(stream).free(at)]
        return [self._grant(stream, holder, at + ttl) for stream in free[:limit]]

    async def renew(self, leases: Sequence[Lease], *, ttl: timedelta, now: datetime | None = None) -> list[Lease]:
        """Prolong the leases that are still held, and return those."""
        at = now or self._store.clock()
        kept = [lease for lease in leases if self._term(lease.stream).held(lease, at)]
        for lease in kept:
            self._term(lease.stream).until = at + ttl
        return kept

    async def acknowledge(self, lease: Lease, version: int, *, now: datetime | None = None) -> None:
        """Move the checkpoint to `version` and end the lease. Raises LeaseLost or ValueError, nothing written then."""
        if not lease.projected <= version <= lease.version:
            raise ValueError(f"version {version} is not between {lease.projected} and {lease.version}")
        term = self._term(lease.stream)
        if not term.held(lease, now or self._store.clock()):
            raise LeaseLost(f"{lease.holder} lost stream {lease.stream!r} (epoch {lease.epoch})")
        term.projected = version
        term.until = None

    async def release(self, leases: Sequence[Lease]) -> None:
        """End the leases that are still held, without moving any checkpoint."""
        for lease in leases:
            term = self._term(lease.stream)
            if term.names(lease):
                term.until = None

    def set_aside(self, stream: str, *, blocked: bool = False, retry_at: datetime | None = None) -> None:
        """Leave the stream as a projector that failed does, or, by default, an operator that mends it."""
        term = self._term(stream)
        term.blocked, term.retry_at = blocked, retry_at

    def projected(self, stream: str) -> int:
        """The stream's checkpoint."""
        return self._term(stream).projected

    def _term(self, stream: str) -> _Term:
        return self._terms.setdefault(stream, _Term())

    def _version(self, stream: str) -> int:
        return len(self._store.streams.get(stream, []))

    def _pending(self) -> list[str]:
        """Streams with a backlog, the one whose oldest unprojected event waits longest first."""
        behind = [s for s, events in self._store.streams.items() if len(events) > self._term(s).projected]
        return sorted(behind, key=lambda s: self._store.streams[s][self._term(s).projected].position)

    def _grant(self, stream: str, holder: str, until: datetime) -> Lease:
        term = self._term(stream)
        term.holder, term.epoch, term.until = holder, term.epoch + 1, until
        return Lease(stream, holder, term.epoch, term.projected, self._version(stream))
