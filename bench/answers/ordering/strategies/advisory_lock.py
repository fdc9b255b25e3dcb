"""Exclusive advisory lock within the append: writers take turns, so positions become visible in their order."""

from __future__ import annotations

from typing import Final

from bench.answers.ordering.strategy import ByPosition, Strategy

KEY: Final = 51

# The lock is taken before the sequence is asked, which happens for each row that the scan of `turn` gives.
APPEND: Final = f"""
WITH turn AS MATERIALIZED (
  SELECT pg_advisory_xact_lock({KEY})
)
INSERT INTO events (stream, version, type, data)
SELECT $1::text, $2::int, $3::text, $4::jsonb FROM turn
RETURNING position
"""

STRATEGY: Final = Strategy(
    title="exclusive advisory lock in the append statement",
    append=APPEND,
    follow=ByPosition.on,
    guarantee="positions become visible in their order, among writers that take the lock",
    price="one writer at a time, from its append to its commit",
    failure="a stalled writer lets all writers stand; one that skips the lock is lost",
)
