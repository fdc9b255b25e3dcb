"""The address of a database: what was left out of it, what a pooler takes away, and whether it is the shard meant."""

from __future__ import annotations

from collections.abc import Iterator

from eventstore.connection.database import Database
from eventstore.shards.hash_slots import Place
from eventstore.shards.place import REMEDY, unlike_there
from settings import SettingError
from settings.catalogue.database import variable


def notes(database: Database, place: Place) -> Iterator[str]:
    """One line each, for a log; complete once a connection was made."""
    named = variable(place.shards)
    for word in database.url.told:
        yield f"{named}: {word}"
    if lacking := database.connector.lacking:
        yield (
            f"{named}: leads through a pooler in transaction mode, where the planner's settings are the role's, and"
            f" this role lacks {', '.join(lacking)}: ALTER ROLE … SET them, as `python -m migrations roles` does"
        )


async def require_place(database: Database, place: Place) -> None:
    """Raises SettingError where the store is another shard than this one, StoreUnavailable without an answer."""
    if why := await unlike_there(database, place):
        raise SettingError(variable(place.shards), "…", f"the shards in their order: {why}; {REMEDY}")
