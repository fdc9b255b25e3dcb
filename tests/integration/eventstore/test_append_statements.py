"""The lean statements end as the general one: the same outcome, the same rows, the same errors."""

from __future__ import annotations

import asyncpg
import pytest

from eventstore.append.general import Append
from eventstore.append.statements import NAMES, RUN, Name, choose
from eventstore.events import NO_STREAM, Appended, ExpectedVersion, IdempotencyKey
from tests.integration.eventstore.append_ends import CASES, CAUGHT_UP, one_event, result
from tests.integration.eventstore.conftest import Connect


@pytest.mark.parametrize(("before", "expected", "end"), CASES.values(), ids=CASES)
async def test_all_statements_end_alike(connect: Connect, before: list[str], expected: int, end: type) -> None:
    connection = await connect()
    append = one_event(expected)

    ends = [await result(connection, name, before, append) for name in NAMES]

    assert ends == [ends[0]] * 3
    assert ends[0][0] is end


async def test_all_statements_refuse_what_is_no_json(connect: Connect) -> None:
    append = Append("s", ("B",), ("no json",), NO_STREAM)

    ends = [await result(await connect(), name, [], append) for name in NAMES]

    assert [end[0] for end in ends] == [asyncpg.InvalidTextRepresentationError] * 3


@pytest.mark.parametrize("row", ["exists", "is being made"])
async def test_all_statements_have_the_same_patience(connect: Connect, row: str) -> None:
    holder = await connect()
    if row == "exists":
        await holder.execute(CAUGHT_UP)
    await holder.execute("BEGIN; SELECT FROM streams FOR UPDATE" if row == "exists" else f"BEGIN; {CAUGHT_UP}")
    append = Append("s", ("B",), ("{}",), ExpectedVersion(3 if row == "exists" else 0))

    ends = [await result(await connect(), name, [], append) for name in NAMES]

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
    for name in ("batched", "general"):
        transaction = connection.transaction()
        await transaction.start()
        outcomes = await RUN[name](connection, appends, slot=5)
        positions = dict(await connection.fetch("SELECT stream, position FROM events"))
        assert {o.stream: o.position for o in outcomes if isinstance(o, Appended)} == positions
        rows = await connection.fetch("SELECT stream, version, type, data FROM events ORDER BY stream")
        heads = await connection.fetch("SELECT stream, version, pending_since IS NULL FROM streams ORDER BY stream")
        tally = await connection.fetchrow("SELECT slot, events, streams FROM tallies")
        ends.append(([o.version if isinstance(o, Appended) else None for o in outcomes], rows, heads, tally))
        await transaction.rollback()

    assert ends[0] == ends[1]
    assert ends[0][0] == [2, None, 2, None, 2, None, 1, 1, None, None]


LEAN = Append("s", ("A",), ("{}",), NO_STREAM)


@pytest.mark.parametrize(
    ("count", "named", "leanest", "name"),
    [
        (1, False, "single", "single"),
        (2, False, "single", "batched"),
        (1, False, "batched", "batched"),
        (2, False, "general", "general"),
        (1, False, "general", "general"),
        (1, True, "single", "general"),
        (2, True, "batched", "general"),
    ],
)
def test_the_leanest_statement_that_fits_is_chosen(count: int, named: bool, leanest: Name, name: Name) -> None:
    assert choose([LEAN] * count, named=named, leanest=leanest) == name
    two = Append("s", ("A", "B"), ("{}", "{}"), NO_STREAM)
    assert choose([LEAN] * count + [two], named=named, leanest=leanest) == "general"


def test_a_key_or_more_events_need_the_general_statement() -> None:
    assert Append("s", ("A",), ("{}",), NO_STREAM).lean
    assert not Append("s", ("A", "B"), ("{}", "{}"), NO_STREAM).lean
    assert not Append("s", ("A",), ("{}",), NO_STREAM, IdempotencyKey("k", "f")).lean
