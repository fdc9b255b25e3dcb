"""Appends in transactions that stay open, so that they commit in any order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from eventstore.append.general import Append, append_all
from eventstore.events import Appended, ExpectedVersion
from eventstore.schema import SLOTS
from tests.integration.projector.stage import CREATED, UPDATED, Stage


class OpenAppend:
    """An append in a transaction that is not yet committed."""

    def __init__(self, connection: asyncpg.Connection, appended: Appended) -> None:
        self.connection = connection
        self.position = appended.position

    async def commit(self) -> None:
        await self.connection.execute("COMMIT")

    async def roll_back(self) -> None:
        await self.connection.execute("ROLLBACK")


@asynccontextmanager
async def begin(stage: Stage, stream: str, number: int) -> AsyncIterator[OpenAppend]:
    """Append one event in an open transaction; `number` differs between those, so that none waits for another."""
    connection = await asyncpg.connect(stage.url)
    try:
        await connection.execute("BEGIN")
        version = stage.versions[stream]
        event = UPDATED if version else CREATED
        [appended] = await append_all(
            connection, [Append.of(stream, [event], ExpectedVersion(version))], slot=SLOTS + number
        )
        assert isinstance(appended, Appended)
        stage.versions[stream] += 1
        yield OpenAppend(connection, appended)
    finally:
        await connection.close()
