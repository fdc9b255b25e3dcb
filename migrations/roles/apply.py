"""Make the roles in a migrated database, and give those a password that the environment has one for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from eventstore.connection.planner import ROLES
from migrations.roles.scram import verifier
from migrations.roles.script import TABLES, script
from migrations.turn import turn
from settings import Environment, SettingError

VARIABLES: Final = {role: f"{role.upper()}_PASSWORD" for role in ROLES}
"""Where the password of each role comes from. Unset: it is left as it is, and a new role can not log in."""

_LONGEST: Final = 200

# A GRANT by somebody who may not give it can be a mere warning.
_OWNER: Final = text("""
SELECT current_user AS name, current_database() AS database, current_schema() AS schema,
       array_agg(given.name) FILTER (WHERE c.oid IS NULL) AS missing,
       coalesce(bool_and(pg_has_role(c.relowner, 'USAGE')), false) AS owner
  FROM unnest(CAST(:tables AS text[])) AS given(name)
  LEFT JOIN pg_class c ON c.oid = to_regclass(given.name)
""")

_LOGINS: Final = text("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname = ANY (:roles) ORDER BY rolname")

_REMEDY: Final = (
    "connect as the tables' owner with the right to create roles, or have a DBA run what"
    " `python -m migrations roles --sql` prints"
)


class NotAllowed(Exception):
    """The role of DATABASE_URL may not do it; the message says what it lacks, and what to do."""


def passwords(variables: Mapping[str, str]) -> dict[str, str]:
    """The passwords that are set, by role. Raises SettingError, which does not show the value."""
    env = Environment(variables)
    given = {role: value for role, name in VARIABLES.items() if (value := env.optional(name))}
    for role, value in given.items():
        if not re.fullmatch(rf"[\x20-\x7e]{{1,{_LONGEST}}}", value):
            raise SettingError(VARIABLES[role], "…", f"printable ASCII, at most {_LONGEST} characters")
    return given


async def apply(url: str, given: Mapping[str, str]) -> list[str]:
    """Create or correct all roles in one transaction; those of `given` may log in with that password.

    Returns the roles that may log in now. Raises NotAllowed, Held, else the driver's errors.
    """
    async with turn(url) as connection:
        who = (await connection.execute(_OWNER, {"tables": list(TABLES)})).one()
        if who.missing:
            raise NotAllowed(
                f"database {who.database!r}, schema {who.schema!r}, has no table {who.missing[0]}:"
                " first run `python -m migrations upgrade`"
            )
        if not who.owner:
            raise NotAllowed(f"{who.name!r} does not own the tables of database {who.database!r}: {_REMEDY}")
        try:
            await _run(connection, given)
        except asyncpg.InsufficientPrivilegeError as error:
            raise NotAllowed(f"{who.name!r} lacks CREATEROLE ({_first_line(error)}): {_REMEDY}") from error
        found = await connection.execute(_LOGINS, {"roles": list(ROLES)})
        return [row.rolname for row in found]


async def _run(connection: AsyncConnection, given: Mapping[str, str]) -> None:
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.execute(script())
    for role, password in given.items():
        await driver.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{verifier(password)}'")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
