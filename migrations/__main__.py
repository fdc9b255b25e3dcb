"""`python -m migrations upgrade [revision] | downgrade <revision> | current`, on the database of DATABASE_URL.

Any number of migrators may start at once: they take turns behind an advisory lock, and the later ones find nothing to
do. Each revision is one transaction.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from eventstore.database import parse_url

_TURN: Final = 1953064546
_TURN_TIMEOUT: Final = "60s"
_LOCK_TIMEOUT: Final = "10s"


def _config(connection: Connection) -> Config:
    config = Config()
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
    """Bring the database to a revision. Raises SQLAlchemy's DBAPIError or OSError when it can not be reached."""
    engine = create_async_engine(parse_url(url), connect_args={"timeout": 10})
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


def main() -> int:
    """Run one action. Returns the exit code: 0 done, 1 failed, 2 bad setting."""
    arguments = _arguments()
    url = os.environ.get("DATABASE_URL", "")
    try:
        parse_url(url)
    except ValueError as error:
        print(f"DATABASE_URL={url!r}: {error}", file=sys.stderr)
        return 2
    try:
        asyncio.run(migrate(url, arguments.action, arguments.revision))
    except (DBAPIError, OSError, TimeoutError) as error:
        reason = str(getattr(error, "orig", None) or error) or type(error).__name__
        print(f"DATABASE_URL: the migration failed: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
