"""The lean statements end as the general one: the same outcome, the same rows, the same errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from eventstore.append.single import append_one
from eventstore.append.singles import append_singles
from eventstore.append.statement import Append, append_all
from eventstore.errors import VersionConflict
from eventstore.events import NO_STREAM, Appended, ExpectedVersion, IdempotencyKey
from tests.integration.eventstore.conftest import Connect

AppendAlone = Callable[[asyncpg.Connection, Append], Awaitable[Any]]

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


async def general(connection: asyncpg.Connection, append: Append) -> Any:
    (outcome,) = await append_all(connection, [append], slot=5)
    return outcome


async def one(connection: asyncpg.Connection, append: Append) -> Any:
    return await append_one(connection, append, slot=5) or await general(connection, append)


async def singles(connection: asyncpg.Connection, append: Append) -> Any:
    (outcome,) = await append_singles(connection, [append], slot=5)
    return outcome or await general(connection, append)


ALONE = (general, one, singles)


async def result(connection: asyncpg.Connection, alone: AppendAlone, before: list[str], append: Append) -> list[Any]:
    """What the append told, and what it left; undone afterwards. A position counts as right or wrong."""
    await connection.execute("BEGIN")
    try:
        for statement in before:
            await connection.execute(statement)
        outcome = await alone(connection, append)
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


@pytest.mark.parametrize(("before", "expected", "end"), CASES.values(), ids=CASES)
async def test_all_statements_end_alike(connect: Connect, before: list[str], expected: int, end: type) -> None:
    connection = await connect()
    append = Append("s", ("B",), ('{"n": 1}',), ExpectedVersion(expected))

    ends = [await result(connection, alone, before, append) for alone in ALONE]

    assert ends == [ends[0]] * 3
    assert ends[0][0] is end


async def test_all_statements_refuse_what_is_no_json(connect: Connect) -> None:
    append = Append("s", ("B",), ("no json",), NO_STREAM)

    ends = [await result(await connect(), alone, [], append) for alone in ALONE]

    assert [end[0] for end in ends] == [asyncpg.InvalidTextRepresentationError] * 3


@pytest.mark.parametrize("row", ["exists", "is being made"])
async def test_all_statements_have_the_same_patience(connect: Connect, row: str) -> None:
    holder = await connect()
    if row == "exists":
        await holder.execute(CAUGHT_UP)
    await holder.execute("BEGIN; SELECT FROM streams FOR UPDATE" if row == "exists" else f"BEGIN; {CAUGHT_UP}")
    append = Append("s", ("B",), ("{}",), ExpectedVersion(3 if row == "exists" else 0))

    ends = [await result(await connect(), alone, [], append) for alone in ALONE]

    assert [end[0] for end in ends] == [asyncpg.LockNotAvailableError] * 3


async def test_company_of_every_kind_ends_as_in_the_general_statement(connect: Connect) -> None:
    connection = await connect()
    names = ["é", "b", 'quo"te', "\\", "B", "a", "new-2", "new-1", "gone", "\U0001f600"]
    await connection.executemany(
        "INSERT INTO streams (stream, version, projected) VALUES ($1, 1, 1)", [(name,) for name in names[:6]]
    )
    # Every second of the known streams was moved by somebody else, two are new, two do not exist.
    expected = [1, 2, 1, 2, 1, 2, 0, 0, 1, 1]
    appends = [
        Append(name, ("B",), (f'{{"n": {n}, "text": "\\u00e9\\u2028\\\\"}}',), ExpectedVersion(version))
        for n, (name, version) in enumerate(zip(names, expected, strict=True))
    ]

    ends = []
    for together in (append_singles, append_all):
        transaction = connection.transaction()
        await transaction.start()
        outcomes = await together(connection, appends, slot=5)
        positions = dict(await connection.fetch("SELECT stream, position FROM events"))
        assert {o.stream: o.position for o in outcomes if isinstance(o, Appended)} == positions
        rows = await connection.fetch("SELECT stream, version, type, data FROM events ORDER BY stream")
        heads = await connection.fetch("SELECT stream, version, pending_since IS NULL FROM streams ORDER BY stream")
        tally = await connection.fetchrow("SELECT slot, events, streams FROM tallies")
        ends.append(([o.version if isinstance(o, Appended) else None for o in outcomes], rows, heads, tally))
        await transaction.rollback()

    assert ends[0] == ends[1]
    assert ends[0][0] == [2, None, 2, None, 2, None, 1, 1, None, None]


def test_a_key_or_more_events_need_the_general_statement() -> None:
    assert Append("s", ("A",), ("{}",), NO_STREAM).single
    assert not Append("s", ("A", "B"), ("{}", "{}"), NO_STREAM).single
    assert not Append("s", ("A",), ("{}",), NO_STREAM, IdempotencyKey("k", "f")).single
