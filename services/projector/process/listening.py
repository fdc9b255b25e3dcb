"""Where a projector listens (LISTEN_URL), checked at its start: LISTEN at the wrong place is deaf, and no error."""

from __future__ import annotations

from typing import Final

import asyncpg

from eventstore.connection.address import PostgresUrl, parse_url
from eventstore.connection.database import Database
from settings import SettingError
from settings.addresses.postgres_url import EXPECTED
from settings.catalogue.database import heard_at

DEAF: Final = "leads through a pooler in transaction mode, where LISTEN hears nothing and there is no error"

# Two ways to one database of one running server tell the same.
_IDENTITY: Final = """
SELECT pg_postmaster_start_time() AS started, oid FROM pg_database WHERE datname = current_database()
"""


async def address(database: Database, listen_url: str | None, shards: int = 1) -> PostgresUrl | None:
    """Where to listen, None for where `database` is. Raises SettingError where nothing would be heard."""
    if listen_url is None:
        if await database.connector.pooling(database.url) == "transaction":
            raise _deaf(shards)
        return None
    url = parse_url(listen_url)
    try:
        pooling = await database.connector.pooling(url)
        there = await _identity(await database.connect(url, purpose="start"))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise SettingError("LISTEN_URL", "…", f"the address of a server that answers: {reason}") from error
    if pooling == "transaction":
        raise SettingError("LISTEN_URL", "…", f"{EXPECTED} of the server itself: this one {DEAF}")
    if there != await _identity(await database.connect(purpose="start")):
        raise SettingError("LISTEN_URL", "…", "another way to the database of DATABASE_URL: this is another one")
    return url


def _deaf(shards: int) -> SettingError:
    name, expected = heard_at(shards)
    if shards > 1:
        return SettingError(name, "…", f"{expected}: one of them {DEAF}")
    return SettingError(name, "", f"{EXPECTED} of the server itself; it is not set, and DATABASE_URL {DEAF}")


async def _identity(connection: asyncpg.Connection) -> tuple[object, ...]:
    try:
        return tuple(await connection.fetchrow(_IDENTITY))
    finally:
        connection.terminate()
