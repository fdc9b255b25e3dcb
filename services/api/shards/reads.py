"""Reads over shards: a todo from the shard in which it lies, a page merged from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter

from eventstore.shards.hash_slots import Shards
from services.api.reading.lookups import Find, Page
from services.api.shards.bulkhead import Way
from services.api.shards.shard import of_each
from todo.read_models.todos import Todo


def finder(ways: Sequence[Way]) -> Find:
    """Looks a todo up in its shard alone; where there is one, that shard's batch loader itself."""
    if len(ways) == 1:
        return ways[0].find
    loaders = Shards([way.find for way in ways])
    return lambda id: loaders.of(id)(id)


def pager(ways: Sequence[Way]) -> Page:
    """Merges a page from as long a page of each shard, which are not of one instant."""
    if len(ways) == 1:
        return ways[0].page

    async def merged(*, after: str | None, limit: int) -> list[Todo]:
        pages = await of_each(ways, lambda way: way.page(after=after, limit=limit))
        # Ids are ASCII, so the order of their characters is that of their bytes.
        return sorted(chain.from_iterable(pages), key=attrgetter("id"))[:limit]

    return merged
