"""Poison events: stored events that no projection can apply, spoiled by the DBA before they take effect, and mended.

Only events of streams that are in use, since one more stream would be one that no client has written. Each is spoiled
under the lock of its stream's row, which every projection takes before it writes, so no event that has taken effect is
touched. One whose text a projection had read already takes effect by that text, which is what it is mended to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from bench.ends.errors import RunFailed
from bench.oracle.connection import ERRORS
from bench.platforms.platform import System
from bench.trial.fault import NotApplicable
from bench.trial.foreign.session import session

SPOIL: Final = """
WITH next AS MATERIALIZED (
  SELECT stream, projected + 1 AS version FROM streams
   WHERE projected > 0 AND projected < version AND blocked_at IS NULL
   ORDER BY pending_since DESC LIMIT 100 FOR UPDATE SKIP LOCKED
),
chosen AS MATERIALIZED (
  SELECT e.stream, e.version, e.data FROM next JOIN events e USING (stream, version)
   WHERE e.type = 'TodoUpdated' LIMIT $1
)
UPDATE events e SET data = '{"text": 7}' FROM chosen
 WHERE e.stream = chosen.stream AND e.version = chosen.version AND (SELECT count(*) FROM chosen) >= $2
RETURNING e.stream, e.version, chosen.data::text AS data
"""
"""An update of a todo whose text is a number: a type and a shape that are known, and a value that is refused."""

MEND: Final = "UPDATE events SET data = $3::jsonb WHERE stream = $1 AND version = $2"

MAY: Final = "SELECT has_table_privilege('events', 'UPDATE') AND has_table_privilege('streams', 'UPDATE')"


@dataclass(frozen=True)
class Poison:
    """One event, with the data that it had."""

    stream: str
    version: int
    data: str


def require_owner(system: System) -> None:
    """Make sure that the login of the bench may change stored events. Raises NotApplicable, RunFailed."""
    (row,) = _run(system, MAY)
    if not row[0]:
        remedy = "give that of the tables' owner, or unset it"
        raise NotApplicable("DATABASE_URL", "its role may not change a stored event", remedy)


def spoil(system: System, *, most: int, least: int) -> list[Poison]:
    """Spoil the next event to take effect of some streams; of none where there are too few. Raises RunFailed."""
    return [Poison(row["stream"], row["version"], row["data"]) for row in _run(system, SPOIL, most, least)]


def mend(system: System, poisons: Sequence[Poison]) -> None:
    """Give each event its data back. Raises RunFailed."""
    for one in poisons:
        _run(system, MEND, one.stream, one.version, one.data)


def _run(system: System, statement: str, *values: Any) -> list[asyncpg.Record]:
    try:
        with session(system) as dba:
            return dba.rows(statement, *values)
    except ERRORS as error:
        raise RunFailed(f"the DBA's statement failed: {error}") from error
