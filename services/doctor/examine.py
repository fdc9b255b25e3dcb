"""Examine one database: connect, look, try; then say which strategies are sound there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from textwrap import shorten
from typing import Final

import asyncpg

from eventstore.connection.address import PostgresUrl
from eventstore.connection.bounds import BOUNDS
from eventstore.connection.connector import Connector
from eventstore.shards.hash_slots import Place, places
from eventstore.soundness.check import Check
from eventstore.soundness.findings import Finding
from eventstore.soundness.rights import API, PROJECTOR, merged
from metrics.records.doctor import WRITES, Fact, Soundness
from services.doctor import checks, identity, server
from services.doctor.document import Examination
from services.doctor.engines import LISTENING, LOCKS
from settings import strategies
from settings.catalogue.database import DATABASE_URL, DATABASE_URLS, heard_at
from settings.hiding import hide
from todo.read_models.todos import READ_MODEL

SHORT: Final = 160
"""The fact of a precondition has all of it."""

DEAF: Final = "not heard: the address leads through a pooler in transaction mode"

NOT_REACHED: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def examine_all(urls: Sequence[PostgresUrl], listen: PostgresUrl | None, *, reader: bool = False) -> Examination:
    """Each shard, one after another; all together they are as sound as the worst of them."""
    every = places(len(urls))
    found = [
        (place, await examine(url, listen, reader=reader, place=place)) for url, place in zip(urls, every, strict=True)
    ]
    return found[0][1] if len(found) == 1 else Examination.joined(found)


async def examine(
    url: PostgresUrl, listen: PostgresUrl | None, *, reader: bool = False, place: Place | None = None
) -> Examination:
    """All that there is to say of the address; one that can not be reached is a finding, too."""
    found = Examination(hide(url.dsn, url.dsn))
    connector = Connector(BOUNDS, name="doctor", planner={})
    try:
        found.facts.append(engine := await identity.engine(url))
        if engine.state == "wrong":
            # Nothing else is asked of it: it need not know what a Postgres knows.
            found.strategies += _strategies([], [f"{engine.value}: {engine.note}"])
            return found
        connection = await connector.open(url)
    except NOT_REACHED as error:
        why = f"can not be reached: {_told(error, url)}"
        name = DATABASE_URL.name if place is None or place.shards == 1 else DATABASE_URLS.name
        found.facts.append(Fact("connection", why, "wrong", f"start that server, or correct {name}"))
        found.strategies += _strategies([], [why])
        return found
    try:
        await _all(found, connector, connection, url, listen, reader=reader, place=place)
    except asyncpg.PostgresError as error:
        why = f"refuses what a Postgres answers: {_told(error, url)}"
        found.facts.append(Fact("server", why, "wrong", "see its log; a limit of time or of rights does that, too"))
        found.strategies += _strategies([], [why])
    finally:
        connection.terminate()
    return found


async def _all(
    found: Examination,
    connector: Connector,
    connection: asyncpg.Connection,
    url: PostgresUrl,
    listen: PostgresUrl | None,
    *,
    reader: bool,
    place: Place | None,
) -> None:
    remedy = "set {} to {}".format(*heard_at(1 if place is None else place.shards))
    deaf = Fact(LISTENING, DEAF, "wrong", f"{remedy}: without it a projector does not start")
    await _look(found, connector, connection, url, listen, deaf, remedy)
    needed = {} if reader else merged(API, READ_MODEL.read, PROJECTOR, READ_MODEL.project)
    every = await Check(needed, place=place).findings(connection)
    findings = [one for one in every if not reader or one.check != "writable"]
    found.facts += _preconditions(findings)
    if not reader:
        found.facts += _refused_writes(findings)
    unheard = [deaf.note] if deaf in found.facts and not reader else []
    found.strategies += _strategies(findings, unheard, _hidden(found.facts))


async def _look(
    found: Examination,
    connector: Connector,
    connection: asyncpg.Connection,
    url: PostgresUrl,
    listen: PostgresUrl | None,
    deaf: Fact,
    remedy: str,
) -> None:
    row = await connection.fetchrow(server.SERVER)
    found.facts += server.judged(row, json.loads(row["limits"] or "{}"))
    found.facts.append(checks.POOLERS[await connector.pooling(url)])
    pooled = await _pooled(connector, listen or url)
    found.facts.append(await checks.round_trip(connection))
    found.facts.append(await checks.clock(connection))
    tried = (
        (LOCKS, checks.announcements(connection, lambda: connector.open(url))),
        (LISTENING, checks.notifications(connection, lambda: connector.open(listen or url), remedy)),
    )
    for name, trial in tried:
        if pooled and name == LISTENING:
            trial.close()
            found.facts.append(deaf)
            continue
        try:
            found.facts.append(await trial)
        except NOT_REACHED as error:
            read_only = isinstance(error, asyncpg.ReadOnlySQLTransactionError)
            note = "only a primary does that" if read_only else "a second connection is needed"
            found.facts.append(Fact(name, f"not tried: {_told(error, url)}", "warning", note))


def _told(error: Exception, url: PostgresUrl) -> str:
    return hide(str(error), url.dsn) or type(error).__name__


async def _pooled(connector: Connector, listen: PostgresUrl) -> bool:
    try:
        return await connector.pooling(listen) == "transaction"
    except NOT_REACHED:
        return False


def _hidden(facts: Sequence[Fact]) -> list[str]:
    return [fact.note for fact in facts if fact.name == LOCKS and fact.state == "wrong"]


def _preconditions(findings: Sequence[Finding]) -> list[Fact]:
    if not findings:
        return [Fact("preconditions", "all hold: schema, rights, sequence, triggers, cursor, encoding")]
    return [Fact(finding.check, finding.problem, "wrong", finding.remedy) for finding in findings]


def _refused_writes(findings: Sequence[Finding]) -> list[Fact]:
    """What only the global order rests on: strategies that do not read it work, and the API waits all the same."""
    ordered = [one.problem for one in findings if one.order]
    if not ordered or len(ordered) < len(findings):
        return []
    note = f"{shorten(ordered[0], SHORT)}: `GET /events` reads the global order, whatever the strategy is"
    return [Fact(WRITES, "refused", "wrong", note)]


def _strategies(findings: Sequence[Finding], all: Sequence[str], order: Sequence[str] = ()) -> list[Soundness]:
    made = []
    for name in strategies.offered():
        # One that works in serial mode rests on the global order.
        ordered = strategies.is_serial(name)
        mode = "serial" if ordered else "parallel"
        broken = (shorten(one.problem, SHORT) for one in findings if ordered or not one.order)
        why = [*all, *(order if ordered else ()), *broken]
        made.append(Soundness(name, mode, not why, " · ".join(why)))
    return made
