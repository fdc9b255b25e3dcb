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
from eventstore.soundness.check import Check
from eventstore.soundness.findings import Finding
from eventstore.soundness.rights import API, PROJECTOR, merged
from metrics.records.doctor import Fact, Soundness
from services.doctor import checks, server
from services.doctor.document import Examination
from settings import strategies
from settings.hiding import hide
from todo.read_models.todos import READ_MODEL

SHORT: Final = 160
"""The fact of a precondition has all of it."""

LISTENING: Final = "LISTEN/NOTIFY"
DEAF: Final = Fact(
    LISTENING,
    "not heard: the address leads through a pooler in transaction mode",
    "wrong",
    "set LISTEN_URL to an address of the server itself: without it a projector does not start",
)

NOT_REACHED: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def examine(url: PostgresUrl, listen: PostgresUrl | None, *, reader: bool = False) -> Examination:
    """All that there is to say of the address; one that can not be reached is a finding, too."""
    found = Examination(hide(url.dsn, url.dsn))
    connector = Connector(BOUNDS, name="doctor", planner={})
    try:
        connection = await connector.open(url)
    except NOT_REACHED as error:
        why = f"can not be reached: {hide(str(error), url.dsn) or type(error).__name__}"
        found.facts.append(Fact("connection", why, "wrong", "start that server, or correct DATABASE_URL"))
        found.strategies += _strategies([], [why])
        return found
    try:
        await _look(found, connector, connection, url, listen)
        needed = {} if reader else merged(API, READ_MODEL.read, PROJECTOR, READ_MODEL.project)
        findings = [one for one in await Check(needed).findings(connection) if not reader or one.check != "writable"]
        found.facts += _preconditions(findings)
        deaf = [DEAF.note] if DEAF in found.facts and not reader else []
        found.strategies += _strategies(findings, deaf, _hidden(found.facts))
    finally:
        connection.terminate()
    return found


async def _look(
    found: Examination,
    connector: Connector,
    connection: asyncpg.Connection,
    url: PostgresUrl,
    listen: PostgresUrl | None,
) -> None:
    row = await connection.fetchrow(server.SERVER)
    found.facts += server.judged(row, json.loads(row["limits"] or "{}"))
    found.facts.append(checks.POOLERS[await connector.pooling(url)])
    deaf = await _pooled(connector, listen or url)
    found.facts.append(await checks.round_trip(connection))
    found.facts.append(await checks.clock(connection))
    tried = (
        ("advisory locks in pg_locks", checks.announcements(connection, lambda: connector.open(url))),
        (LISTENING, checks.notifications(connection, lambda: connector.open(listen or url))),
    )
    for name, trial in tried:
        if deaf and name == LISTENING:
            trial.close()
            found.facts.append(DEAF)
            continue
        try:
            found.facts.append(await trial)
        except NOT_REACHED as error:
            told = hide(str(error), url.dsn) or type(error).__name__
            found.facts.append(Fact(name, f"not tried: {told}", "warning", "a second connection is needed"))


async def _pooled(connector: Connector, listen: PostgresUrl) -> bool:
    try:
        return await connector.pooling(listen) == "transaction"
    except NOT_REACHED:
        return False


def _hidden(facts: Sequence[Fact]) -> list[str]:
    return [fact.note for fact in facts if fact.name == "advisory locks in pg_locks" and fact.state == "wrong"]


def _preconditions(findings: Sequence[Finding]) -> list[Fact]:
    if not findings:
        return [Fact("preconditions", "all hold: schema, rights, sequence, triggers, cursor, encoding")]
    return [Fact(finding.check, finding.problem, "wrong", finding.remedy) for finding in findings]


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
