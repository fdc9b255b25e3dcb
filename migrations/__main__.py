"""`python -m migrations upgrade [revision] | downgrade <revision> | current`, on the database of DATABASE_URL.

Any number of migrators may start at once: they take turns behind an advisory lock, and the later ones find nothing to
do. What one run does is one transaction: all of it or nothing.

The exit code is 0 when done, 1 when the database could not be reached or refused, 2 for a setting or a revision that
can not be used.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from eventstore.address import EXPECTED, driver_url, parse_url
from eventstore.sqlstates import kind_of, sqlstate_of
from settings import Environment, SettingError

_TURN: Final = 1953064546
_TURN_TIMEOUT: Final = "60s"
_LOCK_TIMEOUT: Final = "10s"
_CONNECT_TIMEOUT_S: Final = 10.0


def _config(connection: Connection) -> Config:
    config = Config(stdout=sys.stdout)
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def _run(connection: Connection, action: str, revision: str) -> None:
    connection.execute(text(f"SET lock_timeout = '{_TURN_TIMEOUT}'"))
    connection.execute(text("SELECT pg_advisory_lock(:turn)"), {"turn": _TURN})
    # A migration that waits for a lock makes all traffic wait behind it, so it gives up soon.
    connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
    connection.commit()
    config = _config(connection)
    match action:
        case "upgrade":
            command.upgrade(config, revision)
        case "downgrade":
            command.downgrade(config, revision)
        case "current":
            command.current(config, verbose=True)
    connection.commit()


async def migrate(url: str, action: str = "upgrade", revision: str = "head") -> None:
    """Bring the database to a revision. Raises CommandError for one that is unknown, else the driver's errors."""
    address = parse_url(url)

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(driver_url(address), timeout=_CONNECT_TIMEOUT_S)

    engine = create_async_engine(address, async_creator=connect)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run, action, revision)
    finally:
        await engine.dispose()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m migrations", description="Migrate the database of DATABASE_URL.")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("upgrade", help="to a revision (default: head)").add_argument(
        "revision", nargs="?", default="head"
    )
    actions.add_parser("downgrade", help="back to a revision (base: nothing left)").add_argument("revision")
    actions.add_parser("current", help="show the revision").set_defaults(revision="")
    return parser.parse_args()


def _database_url() -> str:
    url = Environment(os.environ).text("DATABASE_URL", expected=EXPECTED)
    try:
        parse_url(url)
    except ValueError as error:
        raise SettingError("DATABASE_URL", url, EXPECTED) from error
    return url


def main() -> int:
    """Run one action. Returns the exit code."""
    arguments = _arguments()
    try:
        asyncio.run(migrate(_database_url(), arguments.action, arguments.revision))
    except (SettingError, CommandError) as error:
        print(error, file=sys.stderr)
        return 2
    except Exception as error:
        if kind_of(error) == "defect" and sqlstate_of(error) is None:
            raise
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__
        print(f"DATABASE_URL: the migration failed: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
