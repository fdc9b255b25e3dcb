"""Chunked table scan by pages (TID range scans): each piece is within the time limit of a statement.

Rows that were there when the transaction looked stay in their places as long as it lasts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import asyncpg

PIECE: Final = "ctid >= $1::text::tid AND ctid < $2::text::tid"
"""Condition on a row of the piece."""

_PAGES: Final = "SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::bigint"

PAGES_A_STREAM: Final = 4
"""Pages in one piece for each stream in a step: where steps have to be small, so have the pieces."""


async def pages_of(table: str, connection: asyncpg.Connection) -> int:
    """How many pages the table has now."""
    pages: int = await connection.fetchval(_PAGES, table)
    return pages


def piece(first: int, size: int) -> tuple[str, str]:
    """The values for `PIECE`, from page `first` on, for steps of `size` streams."""
    return f"({first},0)", f"({first + size * PAGES_A_STREAM},0)"


async def pieces(connection: asyncpg.Connection, table: str, size: int) -> AsyncIterator[tuple[str, str]]:
    """The values for `PIECE`, one piece after another, within one transaction."""
    for first in range(0, await pages_of(table, connection), size * PAGES_A_STREAM):
        yield piece(first, size)
