"""Counter row: the position is a row that each append updates, so it is gapless, and its lock orders the writers."""

from __future__ import annotations

from typing import Final

from bench.answers.ordering.strategy import BARE, ByPosition, Strategy

SCHEMA: Final = (
    "ALTER TABLE events ALTER COLUMN position DROP IDENTITY",
    # Room in its page, for each append leaves a dead version of the row.
    "CREATE TABLE counter (position bigint NOT NULL) WITH (fillfactor = 10)",
    "INSERT INTO counter VALUES (0)",
)

APPEND: Final = """
WITH next AS (
  UPDATE counter SET position = position + 1 RETURNING position
)
INSERT INTO events (position, stream, version, type, data)
SELECT next.position, $1::text, $2::int, $3::text, $4::jsonb FROM next
RETURNING position
"""

STRATEGY: Final = Strategy(
    title="gapless counter row, updated by each append",
    append=APPEND,
    follow=ByPosition.on,
    guarantee="positions are 1, 2, 3 … without gaps, and become visible in their order",
    price="one writer at a time, from its append to its commit; a dead row version for each append",
    failure="a stalled writer lets all writers stand",
    schema=(*BARE, *SCHEMA),
)
