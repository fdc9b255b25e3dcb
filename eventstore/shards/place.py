"""A store's place among the shards, as the store itself keeps it: its number, and the whole table of hash slots.

`python -m migrations upgrade` writes it once, and nothing ever changes it. Whoever opens a store holds the place by
which it is reached against the one that it keeps, so that no event goes where nobody would look for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy import select

from eventstore.connection.database import Database, Statement
from eventstore.schema import shard
from eventstore.shards.hash_slots import Place, table

KEPT: Final = Statement(select(shard.c.number, shard.c.hash_slots))

REMEDY: Final = "give DATABASE_URLS the addresses of all shards, in the order in which they were migrated"

Row = Mapping[str, Any]


def row(place: Place) -> dict[str, Any]:
    """What a store at this place keeps."""
    return {"number": place.number, "hash_slots": list(table(place.shards))}


def unlike(kept: Sequence[Row], place: Place) -> str:
    """Why a store that keeps these rows is not at this place; empty where it is."""
    if [dict(one) for one in kept] == [row(place)]:
        return ""
    if not kept:
        return f"the store does not say which shard it is, and is reached as {place}"
    told = " and ".join(_told(one) for one in kept)
    return f"the store is {told}, and is reached as {place}"


def _told(kept: Row) -> str:
    number, slots = kept["number"], list(kept["hash_slots"])
    shards = max(slots, default=0) + 1
    same = slots == list(table(shards))
    return f"shard {number} of {shards}{'' if same else ' by another table of hash slots'}"


async def unlike_there(database: Database, place: Place) -> str:
    """The same of a store; empty also where it keeps nothing that can be read yet. Raises StoreUnavailable."""
    try:
        kept = await database.fetch(KEPT)
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        return ""
    return unlike([dict(one) for one in kept], place) if kept else ""
