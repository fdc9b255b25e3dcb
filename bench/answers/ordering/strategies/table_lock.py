"""LOCK TABLE … IN EXCLUSIVE MODE before the insert: writers take turns, readers do not wait."""

from __future__ import annotations

from typing import Final

from bench.answers.ordering.strategy import BARE, ByPosition, Strategy

# A function, so that lock and insert are one round trip.
FUNCTION: Final = """
CREATE FUNCTION append_in_turn(text, int, text, jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  given bigint;
BEGIN
  LOCK TABLE events IN EXCLUSIVE MODE;
  INSERT INTO events (stream, version, type, data) VALUES ($1, $2, $3, $4) RETURNING position INTO given;
  RETURN given;
END $$
"""

STRATEGY: Final = Strategy(
    title="LOCK TABLE IN EXCLUSIVE MODE before the insert",
    append="SELECT append_in_turn($1, $2, $3, $4)",
    follow=ByPosition.on,
    guarantee="positions become visible in their order; a plain insert waits for the lock and is covered, two are not",
    price="one writer at a time, from its append to its commit; VACUUM of the table and the lock exclude each other",
    failure="a stalled writer lets all writers stand; plain inserts beside each other are lost",
    schema=(*BARE, FUNCTION),
)
