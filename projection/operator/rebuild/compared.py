"""Comparison of live tables with their shadows: rows of some streams, counters by sum, anything else whole.

A row is compared as Postgres writes it. In one snapshot a stream's checkpoint and its live rows belong together, so a
difference is damage, and never mere lag. Differences by stream stand in `rebuild_differences` until the stream is
looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from projection.operator.pieces import PIECE
from projection.operator.rebuild.schemas import Schemas
from projection.read_model import EventTally, ReadModels, Tally

NAMED: Final = 100
"""So many differences are told of by name; all are counted."""

EVENTS: Final = "events"
"""In place of a table: the log has not, or can not be, what was projected."""

MISSING: Final = "missing in the live table"
SURPLUS: Final = "not in the log"

_OF_STREAMS: Final = """
WITH live AS MATERIALIZED (
  SELECT t.{key} AS stream, t::text AS told FROM {live}.{table} AS t WHERE t.{key} = ANY ($1::text[])
),
made AS MATERIALIZED (
  SELECT t.{key} AS stream, t::text AS told FROM {shadow}.{table} AS t WHERE t.{key} = ANY ($1::text[])
),
off AS MATERIALIZED (
  SELECT DISTINCT stream
    FROM ((TABLE live EXCEPT ALL TABLE made) UNION ALL (TABLE made EXCEPT ALL TABLE live)) AS difference
)
SELECT off.stream,
       (SELECT jsonb_agg(to_jsonb(t)) FROM {live}.{table} AS t WHERE t.{key} = off.stream) AS live,
       (SELECT jsonb_agg(to_jsonb(t)) FROM {shadow}.{table} AS t WHERE t.{key} = off.stream) AS made
  FROM off
"""

_FORGET: Final = "DELETE FROM rebuild_differences WHERE relation = $1 AND stream = ANY ($2::text[])"
_NOTE: Final = """
INSERT INTO rebuild_differences (relation, stream, why)
SELECT $1, stream, why FROM unnest($2::text[], $3::text[]) AS given(stream, why)
ON CONFLICT (relation, stream) DO UPDATE SET why = excluded.why
"""
_COUNT: Final = "SELECT count(*) FROM rebuild_differences"
_FIRST: Final = f"""
SELECT relation, stream, why FROM rebuild_differences
 ORDER BY relation <> '{EVENTS}', relation, stream LIMIT {NAMED}
"""

_STRAYS: Final = f"""
SELECT t.{{key}} AS stream FROM {{live}}.{{table}} AS t
 WHERE {PIECE} AND NOT EXISTS (SELECT FROM streams s WHERE s.stream = t.{{key}})
"""
_FORGET_STRAYS: Final = """
DELETE FROM rebuild_differences d WHERE NOT EXISTS (SELECT FROM streams s WHERE s.stream = d.stream)
"""

_BY_KEY: Final = """SELECT {key}::text AS name, ROW({sums})::text AS told
   FROM {schema}.{table} GROUP BY {key} HAVING ROW({sums}) <> ROW({zeros})"""
_WHOLE: Final = "SELECT t::text AS name, '' AS told FROM {schema}.{table} AS t"
_EITHER: Final = f"""
WITH live AS MATERIALIZED ({{live}}),
made AS MATERIALIZED ({{made}}),
off AS MATERIALIZED (
  SELECT true AS is_live, name, told FROM (TABLE live EXCEPT ALL TABLE made) AS surplus
   UNION ALL
  SELECT false, name, told FROM (TABLE made EXCEPT ALL TABLE live) AS missing
)
SELECT name, max(told) FILTER (WHERE is_live) AS live, max(told) FILTER (WHERE NOT is_live) AS made,
       count(*) OVER () AS number
  FROM off GROUP BY name ORDER BY name LIMIT {NAMED}
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row, or a counter, of a live table that is not as the log makes it. `row` is empty where it has no name."""

    table: str
    row: str
    why: str

    def __str__(self) -> str:
        return f"{self.table} {self.row!r}: {self.why}" if self.row else f"{self.table}: {self.why}"


@dataclass(frozen=True, slots=True)
class Differences:
    """How many there are, and the first of them by name. `mendable`: the shadow is what the log makes of all events."""

    count: int = 0
    named: tuple[Difference, ...] = ()

    @property
    def mendable(self) -> bool:
        """False where the log is in doubt: then the shadow is no better."""
        return all(one.table != EVENTS for one in self.named)

    def plus(self, count: int, more: Sequence[Difference]) -> Differences:
        """With these as well, of which the first are named."""
        return Differences(self.count + count, (*self.named, *more)[:NAMED])


class Compared:
    """Compares the tables of these read models, in the transaction of its caller."""

    def __init__(self, models: ReadModels, schemas: Schemas) -> None:
        self._schemas: Final = schemas
        self.of_stream: Final = {table: key for model in models for table, key in model.of_stream.items()}
        self._tallies: Final[list[Tally]] = [tally for model in models for tally in model.tallies]
        self._event_tallies: Final[list[EventTally]] = [tally for model in models for tally in model.event_tallies]
        tallied = {one.table for one in self._tallies} | {one.table for one in self._event_tallies}
        apart = tallied | self.of_stream.keys()
        named = [table.name for model in models for table in model.tables]
        self._whole: Final = [table for table in named if table not in apart]

    async def streams(self, connection: asyncpg.Connection, names: Sequence[str], left: Mapping[str, str]) -> None:
        """Note in which of these streams the live rows differ; `left` are those that can not be applied, and why."""
        await self._note(connection, EVENTS, names, left)
        schemas = {"live": self._schemas.live, "shadow": self._schemas.shadow}
        for table, key in self.of_stream.items():
            rows = await connection.fetch(_OF_STREAMS.format(table=quoted(table), key=quoted(key), **schemas), names)
            await self._note(connection, table, names, {row["stream"]: _why(row["live"], row["made"]) for row in rows})

    async def forget_strays(self, connection: asyncpg.Connection) -> None:
        """Forget those that were noted, before they are looked for again."""
        await connection.execute(_FORGET_STRAYS)

    async def strays(self, connection: asyncpg.Connection, table: str, place: tuple[str, str]) -> None:
        """Note the live rows of a piece of the table that belong to no stream."""
        key = quoted(self.of_stream[table])
        statement = _STRAYS.format(table=quoted(table), key=key, live=self._schemas.live)
        names = sorted({row["stream"] for row in await connection.fetch(statement, *place)})
        await self._note(connection, table, names, dict.fromkeys(names, SURPLUS))

    async def all(self, connection: asyncpg.Connection) -> Differences:
        """What was noted of streams, and what counters and other tables say now, while nobody writes."""
        noted = tuple(Difference(*row) for row in await connection.fetch(_FIRST))
        found = Differences(await connection.fetchval(_COUNT), noted)
        for tally in self._tallies:
            off = await self._tally(connection, tally)
            found = found.plus(len(off), off)
        for counted in self._event_tallies:
            sums = ", ".join(f"sum({name})::bigint" for name in counted.counters)
            zeros = ", ".join("0" for _ in counted.counters)
            query = _BY_KEY.replace("{sums}", sums).replace("{zeros}", zeros).replace("{key}", counted.key)
            found = found.plus(*await self._either(connection, counted.table, query))
        for table in self._whole:
            found = found.plus(*await self._either(connection, table, _WHOLE))
        return found

    async def _tally(self, connection: asyncpg.Connection, tally: Tally) -> list[Difference]:
        sums = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in tally.counters)
        live, made = [
            await connection.fetchrow(f"SELECT {sums} FROM {schema}.{quoted(tally.table)}")
            for schema in (self._schemas.live, self._schemas.shadow)
        ]
        return [
            Difference(tally.table, "", f"{name} is {live[name]}, and from the log {made[name]}")
            for name in tally.counters
            if live[name] != made[name]
        ]

    async def _either(self, connection: asyncpg.Connection, table: str, query: str) -> tuple[int, list[Difference]]:
        """How many rows only one of the two has, and the first of them."""
        live, made = (
            query.format(schema=schema, table=quoted(table)) for schema in (self._schemas.live, self._schemas.shadow)
        )
        rows = await connection.fetch(_EITHER.format(live=live, made=made))
        off = [Difference(table, row["name"], _told(row["live"], row["made"])) for row in rows]
        return (rows[0]["number"] if rows else 0), off

    async def _note(
        self, connection: asyncpg.Connection, relation: str, names: Sequence[str], found: Mapping[str, str]
    ) -> None:
        await connection.execute(_FORGET, relation, names)
        if found:
            await connection.execute(_NOTE, relation, list(found), list(found.values()))


def quoted(name: str) -> str:
    """A name as it stands in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _told(live: str | None, made: str | None) -> str:
    if live is None:
        return f"{MISSING}{f', from the log {made}' if made else ''}"
    if made is None:
        return SURPLUS
    return f"is {live}, and from the log {made}"


def _why(live: list[dict[str, Any]] | None, made: list[dict[str, Any]] | None) -> str:
    """What is the matter with a stream's rows: they are not there, or these columns of the one row differ."""
    if live is None:
        return MISSING
    if made is None:
        return SURPLUS
    if len(live) != 1 or len(made) != 1:
        return f"{len(live)} rows, and from the log {len(made)}"
    return ", ".join(sorted(name for name, value in live[0].items() if value != made[0].get(name)))
