"""`python -m migrations upgrade [revision] | downgrade <revision> | current | roles`, on the database of DATABASE_URL.

With the addresses of several shards (DATABASE_URLS) it is done on each, in their order. One that was stopped between
two of them is run again, and finds nothing to do on those that it had done. The first upgrade of a store writes into it
which shard it is; from then on it is refused as any other.

Any number of migrators may start at once: they take turns behind an advisory lock, and the later ones find nothing to
do. What one run does is one transaction: all of it or nothing. Where a revision on the way needs it, upgrade and
downgrade wait until no projector is at work, and refuse after 20 seconds; the API may run on.

`roles` makes the least-privileged role of each process, or corrects it; `roles --sql` prints the statements instead,
and needs no database; `upgrade --roles` does both, one after the other. A role gets the password of
TIDEMARK_API_PASSWORD, TIDEMARK_PROJECTOR_PASSWORD, TIDEMARK_OPERATOR_PASSWORD, TIDEMARK_ORACLE_PASSWORD,
TIDEMARK_SCALER_PASSWORD, and may log in then.

The exit code is 0 when done; 1 when the database could not be reached or refused, or projectors are at work; 2 for a
setting or a revision that can not be used, or a database that is not ours.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from eventstore.shards.hash_slots import Place, places
from eventstore.sqlstates import kind_of, passes, sqlstate_of
from migrations import ownership, placing, stopped
from migrations.roles import apply
from migrations.roles.script import printed
from migrations.turn import Held, turn
from settings import Environment, SettingError
from settings.addresses import postgres_url
from settings.catalogue import database
from settings.command_line import terminal
from settings.command_line.arguments import Parser
from settings.hiding import hider

ALONE: Final = Place()
FAILED: Final = 1
REFUSED: Final = 2


def _config(connection: Connection) -> Config:
    config = Config(stdout=sys.stdout)
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def _checked(connection: Connection, action: str, revision: str, place: Place) -> bool:
    """Whether projectors have to be stopped. Raises NotOurs, Misplaced."""
    scripts = ScriptDirectory.from_config(_config(connection))
    ownership.check(connection, scripts)
    placing.check(connection, place)
    return action != "current" and stopped.needed(connection, scripts, action, revision)


def _run(connection: Connection, action: str, revision: str, place: Place) -> None:
    config = _config(connection)
    match action:
        case "upgrade":
            command.upgrade(config, revision)
            placing.write(connection, place)
        case "downgrade":
            command.downgrade(config, revision)
        case "current":
            command.current(config, verbose=True)


async def migrate(url: str, action: str = "upgrade", revision: str = "head", place: Place = ALONE) -> None:
    """Bring the database to a revision, in one transaction; an upgrade writes its place among the shards, too.

    Raises CommandError for a revision that is unknown, NotOurs, Misplaced, Held, AtWork, else the driver's errors.
    """
    async with turn(url) as connection:
        must_stop = await connection.run_sync(_checked, action, revision, place)
        if must_stop:
            await stopped.stopped(connection)
        await connection.run_sync(_run, action, revision, place)


async def migrate_all(urls: Sequence[str], action: str, revision: str) -> None:
    """The same on each shard in their order. Where one may not be at its place, nothing is done on any.

    Neither where two addresses are of one store.
    """
    if len(urls) > 1:
        seen: dict[placing.Store, Place] = {}
        for url, place in _each(urls, "looking"):
            async with turn(url) as connection:
                await connection.run_sync(placing.apart, place, seen)
                await connection.run_sync(_checked, action, revision, place)
    for url, place in _each(urls, action):
        await migrate(url, action, revision, place)


def _each(urls: Sequence[str], what: str) -> Iterator[tuple[str, Place]]:
    """Each address with its place, which is told first where there are several: what is said next is of that one."""
    for url, place in zip(urls, places(len(urls)), strict=True):
        if place.shards > 1:
            print(f"{place}: {what}", file=sys.stderr, flush=True)
        yield url, place


async def make_roles(url: str) -> None:
    """Make or correct the roles, and say which of them may log in. Raises SettingError, NotAllowed, Held."""
    given = apply.passwords(os.environ)
    able = await apply.apply(url, given)
    for role, variable in apply.VARIABLES.items():
        state = "may log in" if role in able else f"may not log in: it has no password yet (set {variable})"
        print(f"{role}: {state}")


def _arguments() -> argparse.Namespace:
    parser = Parser(
        prog="python -m migrations", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True)
    upgrading = actions.add_parser("upgrade", help="to a revision (default: head)")
    upgrading.add_argument("revision", nargs="?", default="head")
    upgrading.add_argument("--roles", action="store_true", help="and then do what `roles` does")
    actions.add_parser("downgrade", help="back to a revision (base: nothing left)").add_argument("revision")
    actions.add_parser("current", help="show the revision").set_defaults(revision="")
    roles = actions.add_parser("roles", help="make the database roles of the processes, or correct their rights")
    roles.add_argument("--sql", action="store_true", help="print the statements, for a DBA, and do nothing")
    return parser.parse_args()


def _addresses() -> tuple[str, ...]:
    urls = database.addresses(Environment(os.environ))
    for url in urls:
        for word in postgres_url.parse(url).told:
            print(f"note: {database.variable(len(urls))}: {word}", file=sys.stderr)
    return urls


def main() -> int:
    """Run one action. Returns the exit code."""
    arguments = _arguments()
    if arguments.action == "roles" and arguments.sql:
        print(printed(), end="")
        return 0
    try:
        urls = _addresses()
        if arguments.action != "roles":
            asyncio.run(migrate_all(urls, arguments.action, arguments.revision))
        if arguments.action == "roles" or getattr(arguments, "roles", False):
            for url, _ in _each(urls, "roles"):
                asyncio.run(make_roles(url))
    except (SettingError, CommandError) as error:
        return _refuse(str(error), REFUSED)
    except (apply.NotAllowed, ownership.NotOurs, placing.Misplaced) as error:
        return _refuse(f"{database.variable(len(urls))}: {error}", REFUSED)
    except (Held, stopped.AtWork) as error:
        return _refuse(f"{database.variable(len(urls))}: the migration failed: {error}", FAILED)
    except Exception as error:
        if kind_of(error) == "defect" and sqlstate_of(error) is None:
            raise
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0] or type(error).__name__
        there = " there" if len(urls) > 1 else ""
        what_to_do = f": nothing was changed{there}; run it again" if passes(error) else ""
        return _refuse(f"{database.variable(len(urls))}: the migration failed: {reason}{what_to_do}", FAILED)
    return 0


def _refuse(line: str, code: int) -> int:
    print(hider(os.environ)(line), file=sys.stderr)
    return code


if __name__ == "__main__":
    terminal.forgive()
    sys.exit(main())
