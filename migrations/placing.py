"""A store's place among the shards, written once: where the tables are made, and never after there are events.

A store that has events keeps its place for good: to move streams between stores is not offered.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, insert, inspect, select

from eventstore.schema import events, shard
from eventstore.shards.hash_slots import Place
from eventstore.shards.place import REMEDY, row, unlike


class Misplaced(Exception):
    """The store is another shard than that as which it is reached; the message says which, and what to do."""


_FULL: Final = "it has events already, and streams are not moved: give the shards databases without events"


def check(connection: Connection, place: Place) -> bool:
    """Whether the place has still to be written. Raises Misplaced where the store has another, or can not get it."""
    there = set(inspect(connection).get_table_names())
    kept = [dict(one) for one in connection.execute(select(shard)).mappings()] if shard.name in there else []
    if kept:
        if why := unlike(kept, place):
            raise Misplaced(f"{why}: {REMEDY}")
        return False
    if place.shards > 1 and events.name in there and connection.execute(select(events.c.position).limit(1)).first():
        raise Misplaced(f"the store can not become {place}: {_FULL}")
    return True


def write(connection: Connection, place: Place) -> None:
    """Write the place where there is none yet, in the transaction that has the migrators' turn. Raises Misplaced."""
    if inspect(connection).has_table(shard.name) and check(connection, place):
        connection.execute(insert(shard).values(row(place)))
