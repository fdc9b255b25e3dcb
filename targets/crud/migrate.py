"""`python -m targets.crud.migrate`: make the tables of `schema.sql` in the database of DATABASE_URL.

All of them or none, in one transaction; any number may run at once, for an advisory lock lets them in one by one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from eventstore.errors import StoreUnavailable
from eventstore.postgres import Database
from settings import Environment, SettingError
from settings.catalogue.database import DATABASE_URL
from settings.hiding import hider

SCHEMA: Final = Path(__file__).with_name("schema.sql")
TURN: Final = 0x746F646F
"""The key of the advisory lock."""


async def migrate(url: str) -> None:
    """Bring the database to the schema. Raises StoreUnavailable."""
    async with (
        Database(url, pool_size=1, application_name="crud migration") as database,
        database.connection() as connection,
        connection.transaction(),
    ):
        await connection.execute(f"SELECT pg_advisory_xact_lock({TURN})")
        await connection.execute(SCHEMA.read_text(encoding="utf-8"))


def main() -> int:
    """Migrate. Returns the exit code; 2 is an address that can not be used, told in one line."""
    try:
        asyncio.run(migrate(DATABASE_URL.read(Environment(os.environ))))
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    except StoreUnavailable as error:
        print(hider(os.environ)(f"DATABASE_URL: {error}"), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
