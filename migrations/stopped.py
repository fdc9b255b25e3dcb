"""Projectors stopped first: a revision that is marked so is run while no projector works, by heartbeat and table lock.

A projector of the former version finds the new revision at a heartbeat, and until then writes rows as it knows them. So
a revision under which those would be wrong has `PROJECTORS_STOPPED = True`; upgrade and downgrade over it wait until no
projector is at work, and keep new ones from registering until they are done. One that registers then looks at the
schema's revision afterwards, and waits. Readers, the API among them, go on.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

TIMEOUT_S: Final = 20.0
"""Longer than a projector takes to end, and than a killed one counts as alive with the default LEASE_SECONDS."""
LOOK_S: Final = 0.2
SHOWN: Final = 3

# One that waits holds nothing and looks at the revision before it works. The column for it is not in every revision.
_AT_WORK: Final = text("""
SELECT holder, alive_until FROM projectors AS p
 WHERE alive_until > clock_timestamp() AND to_jsonb(p) ->> 'waiting' IS NULL
 ORDER BY holder
""")
_LOCK: Final = text("LOCK TABLE projectors IN SHARE MODE")


class AtWork(Exception):
    """Projectors work on the tables that are to be changed; the message says which. Nothing was changed."""


def needed(connection: Connection, scripts: ScriptDirectory, action: str, revision: str) -> bool:
    """Whether a marked revision lies on the way; False without any revision yet, and for an unknown one."""
    heads = MigrationContext.configure(connection).get_current_heads()
    if not heads:
        return False
    return any(getattr(script.module, "PROJECTORS_STOPPED", False) for script in _way(scripts, heads, action, revision))


def _way(scripts: ScriptDirectory, heads: tuple[str, ...], action: str, revision: str) -> Sequence[Script]:
    try:
        if action == "downgrade":
            return list(scripts.iterate_revisions(heads, revision, select_for_downgrade=True))
        return list(scripts.iterate_revisions(revision, heads, implicit_base=True))
    except RevisionError:
        # Alembic refuses it in its own words, before it does anything.
        return ()


async def stopped(connection: AsyncConnection) -> None:
    """Wait until no projector is at work, and let none register before the transaction's end. Raises AtWork."""
    until = time.monotonic() + TIMEOUT_S
    told: list[str] = []
    while found := await _at_work(connection) or await _locked(connection):
        names = _named(found)
        if time.monotonic() > until:
            raise AtWork(
                f"projectors are at work, and would go on to write rows as the present schema has them: {names}; stop"
                " them, run it again, then start those of the new version (docs/operation/README.md, Upgrade). One that"
                " was killed counts as alive until the time that is told"
            )
        if (holders := [one.holder for one in found]) != told:
            print(f"waiting for projectors to stop: {names}", file=sys.stderr, flush=True)
            told = holders
        await asyncio.sleep(LOOK_S)


async def _at_work(connection: AsyncConnection) -> Sequence[Any]:
    return (await connection.execute(_AT_WORK)).all()


async def _locked(connection: AsyncConnection) -> Sequence[Any]:
    """Who has registered before the lock was had; if anybody, it is given back, since they need it to end."""
    savepoint = await connection.begin_nested()
    await connection.execute(_LOCK)
    found = await _at_work(connection)
    await (savepoint.rollback() if found else savepoint.commit())
    return found


def _named(found: Sequence[Any]) -> str:
    names = [f"{one.holder} (alive until {one.alive_until:%H:%M:%S %Z})" for one in found[:SHOWN]]
    return ", ".join(names) + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
