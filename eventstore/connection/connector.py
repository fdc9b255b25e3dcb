"""Opening connections to Postgres: bounded, kept alive, planned as we want it, directly or through a pooler.

Nothing but the application's name goes with the start-up packet, unless the address asks for it: a pooler refuses the
rest. On a connection of our own, the planner is set right after; in transaction mode nothing can be set that lasts, so
there the settings are the role's (`python -m migrations roles`), and statements stay unprepared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import asyncpg

from eventstore.connection import pooler
from eventstore.connection.address import PostgresUrl
from eventstore.connection.bounds import Bounds
from eventstore.connection.keepalive import server_side, tcp_connection
from eventstore.connection.pooler import Pooling

NAME_BYTES: Final = 63
"""What Postgres keeps of an application's name."""

_LACKING: Final = """
SELECT name FROM unnest($1::text[], $2::text[]) AS wanted(name, setting) WHERE current_setting(name) <> setting
"""


class Connector:
    """Opens connections for one process, which is named in `pg_stat_activity`; `planner` are settings of the session.

    Whether a pooler stands at an address is found out with each connection that is not known to lead through one.
    `lacking`: settings that the role behind a pooler in transaction mode does not have; None where there is none.
    """

    def __init__(self, bounds: Bounds, *, name: str, planner: Mapping[str, str]) -> None:
        self._bounds: Final = bounds
        self._name: Final = name
        self._planner: Final = planner
        self._class: Final = tcp_connection(bounds.silence)
        self._known: Final[dict[object, Pooling]] = {}
        self.lacking: tuple[str, ...] | None = None

    async def open(self, url: PostgresUrl, *, purpose: str = "") -> asyncpg.Connection:
        """One connection, for the caller to close; `purpose` is added to the name. Raises the driver's errors."""
        known = "transaction" if url.transaction_pooler else self._known.get(_place(url), "none")
        if known == "none":
            connection = await self._connect(url, purpose)
            if await self._set_up(connection, only=connection.get_server_pid()):
                self._known[_place(url)] = "none"
                return connection
            connection.terminate()
            known = self._known[_place(url)] = await pooler.find(lambda: self._unprepared(url))
        if known == "transaction":
            await self._look_for_settings(url)
            return await self._connect(url, purpose, statement_cache_size=0)
        connection = await self._connect(url, purpose)
        await self._set_up(connection)
        return connection

    async def pooling(self, url: PostgresUrl) -> Pooling:
        """What stands at the address. Raises the driver's errors."""
        if url.transaction_pooler:
            return "transaction"
        if _place(url) not in self._known:
            (await self.open(url, purpose="start")).terminate()
        return self._known[_place(url)]

    async def _set_up(self, connection: asyncpg.Connection, *, only: int | None = None) -> bool:
        """Set the session's settings in one round trip; with `only`, where no pooler stands before that process.

        By the simple protocol, and told by the number of rows: a prepared statement would stay in a pooler's session.
        """
        here = "" if only is None else f" WHERE pg_backend_pid() = {only}"
        wanted = {**self._planner, **server_side(self._bounds.silence)}
        settings = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in wanted.items())
        try:
            async with asyncio.timeout(self._bounds.connect):
                status: str = await connection.execute(f"SELECT {settings}{here}")
        except BaseException:
            connection.terminate()
            raise
        return status == "SELECT 1"

    async def _look_for_settings(self, url: PostgresUrl) -> None:
        """Once: which of them the role behind the pooler does not have."""
        if self.lacking is not None:
            return
        connection = await self._unprepared(url)
        try:
            rows = await connection.fetch(_LACKING, list(self._planner), list(self._planner.values()))
        finally:
            connection.terminate()
        self.lacking = tuple(row["name"] for row in rows)

    async def _unprepared(self, url: PostgresUrl) -> asyncpg.Connection:
        return await self._connect(url, "start", statement_cache_size=0)

    async def _connect(self, url: PostgresUrl, purpose: str, **cache: int) -> asyncpg.Connection:
        told = url.arguments()
        told["server_settings"] = {"application_name": named(self._name, purpose), **told["server_settings"]}
        return await asyncpg.connect(
            **{"timeout": self._bounds.connect, **told, **cache},
            command_timeout=self._bounds.statement,
            connection_class=self._class,
        )


def _place(url: PostgresUrl) -> object:
    return url.hosts, url.database, url.user


def named(name: str, purpose: str) -> str:
    """The application's name, cut so that the purpose is still read."""
    room = NAME_BYTES - len(purpose) - 1 if purpose else NAME_BYTES
    return f"{name[:room]} {purpose}".strip()
