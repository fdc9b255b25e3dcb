"""A table read as a whole, but in pieces of pages (TID range scans), each within the time limit of a statement.

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


async def pieces(connection: asyncpg.Connection, table: str, size: int) -> AsyncIterator[tuple[str, str]]:
    """The values for `PIECE`, one piece after another, for steps of `size` streams."""
    pages = await connection.fetchval(_PAGES, table)
    for first in range(0, pages, size * PAGES_A_STREAM):
        yield f"({first},0)", f"({first + size * PAGES_A_STREAM},0)"
