"""Whose tables are these: a foreign, or a newer, `alembic_version` is told apart before anything is done."""

from __future__ import annotations

from typing import Final

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

FIRST: Final = ("events", "streams", "idempotency_keys", "projection_audit", "todos")
"""Tables that are there from the first revision on."""

_REMEDY: Final = "give tidemark a database of its own, or a schema (?options=-csearch_path%3Dits_name)"


class NotOurs(Exception):
    """The database has tables that these migrations did not make; the message says whose, where, and what to do."""


def check(connection: Connection, scripts: ScriptDirectory) -> None:
    """Raises NotOurs unless the schema is empty of our names, or at a revision of ours with our tables."""
    heads = MigrationContext.configure(connection).get_current_heads()
    there = set(inspect(connection).get_table_names())
    ours = [name for name in FIRST if name in there]
    known = {script.revision for script in scripts.walk_revisions()}
    place = connection.execute(text("SELECT current_database(), current_schema()")).one()
    where = f"database {place[0]!r}, schema {place[1]!r}"
    at = ", ".join(heads)
    if not heads and ours:
        raise NotOurs(f"{where}, has a table {ours[0]!r} that tidemark did not make (no revision is noted): {_REMEDY}")
    if not heads:
        return
    if not known.issuperset(heads) and len(ours) == len(FIRST):
        newest = scripts.get_current_head()
        raise NotOurs(
            f"{where}, is at revision {at!r}, which this version does not know (its newest is {newest!r}):"
            " a newer tidemark made it; run the version that it was migrated with"
        )
    if not known.issuperset(heads):
        raise NotOurs(f"{where}, has the alembic_version of another application (revision {at!r}): {_REMEDY}")
    if len(ours) < len(FIRST):
        lost = next(name for name in FIRST if name not in there)
        raise NotOurs(
            f"{where}, has an alembic_version at revision {at!r}, but no table {lost!r}: it is another application's,"
            f" or tables were dropped by hand; {_REMEDY}"
        )
