"""Count what a piece of work makes Postgres do: statements (each is one round trip), and buffers touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import asyncpg

# Statements of the driver (types, settings) and of the counting itself are left out.
COUNTED: Final = """
SELECT query, calls, shared_blks_hit + shared_blks_read AS buffers
  FROM pg_stat_statements
 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND toplevel
   AND query !~ 'pg_stat_statements|typeinfo_tree|current_setting|^SELECT set_config'
"""


@dataclass(frozen=True)
class Counts:
    """Calls and buffers of each statement, by its text."""

    calls: dict[str, int]
    buffers: dict[str, int]

    @property
    def statements(self) -> int:
        """How many statements were sent."""
        return sum(self.calls.values())

    def of(self, part: str) -> int:
        """How many of them contain this text."""
        return sum(calls for query, calls in self.calls.items() if part in query)

    def touched(self, part: str) -> float:
        """Buffers a call of the statements that contain this text."""
        return sum(buffers for query, buffers in self.buffers.items() if part in query) / self.of(part)


class Counter:
    """Counts from its last `reset` on. All else that goes on in the database counts too."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def reset(self) -> None:
        """Begin at zero."""
        await self._connection.execute(
            "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)"
        )

    async def read(self) -> Counts:
        """What was counted since."""
        rows = await self._connection.fetch(COUNTED)
        return Counts({row["query"]: row["calls"] for row in rows}, {row["query"]: row["buffers"] for row in rows})

    async def run(self, statement: str) -> None:
        """Prepare data; not counted if `reset` follows."""
        await self._connection.execute(statement, timeout=60)
