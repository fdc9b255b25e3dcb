"""Router: appends and reads of streams, each by the store in which its stream lies.

Every guarantee of the contract holds, since each call is one store's alone. An idempotency key is looked for in the
stream's own store: the same key with a stream of another shard is not noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eventstore.contract import StreamStore
from eventstore.events import Appended, ExpectedVersion, IdempotencyKey, NewEvent, StoredEvent
from eventstore.shards.hash_slots import Shards


def routed(stores: Sequence[StreamStore]) -> StreamStore:
    """The stores of all shards as one; where there is one, that itself."""
    return stores[0] if len(stores) == 1 else Router(Shards(stores))


class Router:
    """`eventstore.contract.StreamStore` over several stores. They have no order in common, so there is no log."""

    def __init__(self, stores: Shards[StreamStore]) -> None:
        self._stores: Final = stores

    async def append(
        self,
        stream: str,
        events: Sequence[NewEvent],
        *,
        expected: ExpectedVersion,
        key: IdempotencyKey | None = None,
    ) -> Appended:
        """Append all events or none, in the stream's own store."""
        return await self._stores.of(stream).append(stream, events, expected=expected, key=key)

    async def read_stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[StoredEvent]:
        """Committed events of one stream with version > `after`, in version order."""
        return await self._stores.of(stream).read_stream(stream, after=after, limit=limit)
