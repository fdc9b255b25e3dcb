"""A store's place among the shards, written once: where the tables are made, and never after there are events.

A store that has events keeps its place for good: to move streams between stores is not offered.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, insert, inspect, select, text

from eventstore.schema import events, shard
from eventstore.shards.hash_slots import Place
from eventstore.shards.place import REMEDY, row, unlike


class Misplaced(Exception):
    """The store is another shard than that as which it is reached; the message says which, and what to do."""


_FULL: Final = "it has events already, and streams are not moved: give the shards databases without events"

Store = tuple[Any, ...]
"""What tells a store from every other."""

# The start of a server has microseconds, so two servers do not share it; and neither spelling nor way changes it, as
# they do the addresses and ports of a connection, which a socket has none of. Every role may read all of it. The
# server's system_identifier is kept from some roles by some clouds, and a server's copy has the same.
_STORE: Final = text("""
SELECT pg_postmaster_start_time(), current_setting('port'), oid, datname, current_schema()
  FROM pg_database WHERE datname = current_database()
""")


def apart(connection: Connection, place: Place, seen: dict[Store, Place]) -> None:
    """Note in `seen` which store is at this place. Raises Misplaced where it is at another one, too."""
    store = tuple(connection.execute(_STORE).one())
    other = seen.setdefault(store, place)
    if other != place:
        *_, name, schema = store
        raise Misplaced(
            f"{other} and {place} are one store under two addresses: database {name!r}, schema {schema!r}, of one "
            "server; nothing was written: give each shard a database of its own"
        )


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
