"""Reads over shards: a todo from the shard in which it lies, a page merged from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from operator import attrgetter

from eventstore.shards.hash_slots import Shards
from services.api.reading.lookups import Find, Page
from services.api.shards.shard import Shard, of_each
from todo.read_models.todos import Todo, list_todos


def finder(shards: Sequence[Shard]) -> Find:
    """Looks a todo up in its shard alone; where there is one, that shard's batch loader itself."""
    if len(shards) == 1:
        return shards[0].find
    loaders = Shards([shard.find for shard in shards])
    return lambda id: loaders.of(id)(id)


def pager(shards: Sequence[Shard]) -> Page:
    """Merges a page from as long a page of each shard, which are not of one instant."""
    if len(shards) == 1:
        return partial(list_todos, shards[0].database)

    async def merged(*, after: str | None, limit: int) -> list[Todo]:
        pages = await of_each(shards, lambda shard: list_todos(shard.database, after=after, limit=limit))
        # Ids are ASCII, so the order of their characters is that of their bytes.
        return sorted(chain.from_iterable(pages), key=attrgetter("id"))[:limit]

    return merged
