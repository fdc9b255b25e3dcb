"""What an append by one statement tells and leaves: the measure by which all append statements are the same."""

from __future__ import annotations

from typing import Any

import asyncpg

from eventstore.append.general import Append
from eventstore.append.statements import RUN, Name
from eventstore.errors import VersionConflict
from eventstore.events import Appended, ExpectedVersion

EARLIER = "INSERT INTO events (stream, version, type, data) SELECT 's', n, 'A', '{}' FROM generate_series(1, 3) n"
BEHIND = "INSERT INTO streams (stream, version, projected, pending_since) VALUES ('s', 3, 1, '2040-01-01')"
CAUGHT_UP = "INSERT INTO streams (stream, version, projected) VALUES ('s', 3, 3)"
EMPTY_HEAD = "INSERT INTO streams (stream, version) VALUES ('s', 0)"
TALLIED = "INSERT INTO tallies (slot, events, streams, projected) VALUES (5, 30, 20, 10)"

LEFT = """
SELECT (SELECT json_agg(json_build_array(stream, version, projected, pending_since = '2040-01-01') ORDER BY stream)
          FROM streams)::text AS heads,
       (SELECT json_agg(json_build_array(stream, version, type, data) ORDER BY version) FROM events)::text AS events,
       (SELECT json_agg(json_build_array(slot, events, streams, projected) ORDER BY slot)
          FROM tallies)::text AS tallies,
       current_setting('lock_timeout') AS patience,
       (SELECT max(position) FROM events) AS last
"""


async def alone(connection: asyncpg.Connection, name: Name, append: Append) -> Any:
    """By one statement; a conflict that it does not name is named by the general one."""
    (outcome,) = await RUN[name](connection, [append], slot=5)
    if outcome is None:
        (outcome,) = await RUN["general"](connection, [append], slot=5)
    return outcome


async def result(connection: asyncpg.Connection, name: Name, before: list[str], append: Append) -> list[Any]:
    """What the append told, and what it left; undone afterwards. A position counts as right or wrong."""
    await connection.execute("BEGIN")
    try:
        for statement in before:
            await connection.execute(statement)
        outcome = await alone(connection, name, append)
        *left, last = await connection.fetchrow(LEFT)
        match outcome:
            case Appended():
                told: Any = (outcome.stream, outcome.version, outcome.position == last, outcome.replayed)
            case VersionConflict():
                told = (outcome.stream, outcome.expected, outcome.actual)
        return [type(outcome), told, *left]
    except asyncpg.PostgresError as error:
        return [type(error), str(error)]
    finally:
        await connection.execute("ROLLBACK")


CASES = {
    "new": ([], 0, Appended),
    "new-and-tallied": ([TALLIED], 0, Appended),
    "behind": ([BEHIND, EARLIER, TALLIED], 3, Appended),
    "caught-up": ([CAUGHT_UP, EARLIER], 3, Appended),
    "exists-already": ([BEHIND, EARLIER], 0, VersionConflict),
    "too-low": ([BEHIND, EARLIER], 2, VersionConflict),
    "too-high": ([BEHIND, EARLIER], 4, VersionConflict),
    "no-such-stream": ([], 1, VersionConflict),
    "a-head-at-zero": ([EMPTY_HEAD], 0, VersionConflict),
    "negative": ([BEHIND, EARLIER], -1, VersionConflict),
    "beyond-the-column": ([BEHIND, EARLIER], 2**31, VersionConflict),
    "beyond-everything": ([], 2**70, VersionConflict),
    "an-event-without-a-head": ([EARLIER], 0, asyncpg.UniqueViolationError),
}


def one_event(expected: int) -> Append:
    return Append("s", ("B",), ('{"n": 1}',), ExpectedVersion(expected))
