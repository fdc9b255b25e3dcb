"""The stores of a projector process at its start: each is reached once, and held against the place that it is to have.

Of several shards one that is away is told and served once it answers, so that it keeps no process from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

import structlog

from eventstore.connection.address import PostgresUrl
from eventstore.connection.database import Database
from eventstore.errors import StoreUnavailable
from eventstore.shards.hash_slots import Place
from services.address_notes import notes, require_place
from services.projector.process import listening

log = structlog.get_logger()


async def opened(
    databases: Sequence[tuple[Database, Place]], stack: AsyncExitStack, *, listen_url: str | None, once: bool
) -> list[PostgresUrl | None]:
    """Where to listen for each, None for where it is itself. The stack closes them.

    Raises SettingError, and StoreUnavailable where none answers; of a job (`once`), where one does not.
    """
    ways: list[PostgresUrl | None] = []
    away: list[StoreUnavailable] = []
    for database, place in databases:
        stack.push_async_callback(database.close)
        try:
            ways.append(await _reached(database, place, listen_url))
        except StoreUnavailable as error:
            away.append(error)
            if once or len(away) == len(databases):
                raise
            log.warning("the store is away, and served once it answers", shard=place.number, error=str(error))
            ways.append(None)
    return ways


async def _reached(database: Database, place: Place, listen_url: str | None) -> PostgresUrl | None:
    await database.start()
    await require_place(database, place)
    for note in notes(database, place):
        log.warning("database address", note=note)
    return await listening.address(database, listen_url, place.shards)
