"""Histories made by SQL in bulk: what a store looks like after so many events, without the hours of writing them."""

from __future__ import annotations

from typing import Final

from bench.perf.lab import Lab

ID: Final = "'todo-' || lpad(to_hex(n), 32, '0')"
TEXT: Final = "'buy milk, bread and a newspaper'"
MOMENT: Final = "clock_timestamp()"
ALIVE: Final = 1_000

# In the global order 1,000 streams are alive at a time and take turns, then come the next 1,000. Of every ten streams
# three end with a deletion.
EVENTS: Final = f"""
INSERT INTO events (stream, version, type, data)
SELECT {ID}, version,
       CASE WHEN version = 1 THEN 'TodoCreated' WHEN version = {{each}} AND n % 10 < 3 THEN 'TodoDeleted'
            ELSE 'TodoUpdated' END,
       CASE WHEN version > 1 AND version = {{each}} AND n % 10 < 3 THEN '{{{{}}}}'::jsonb
            ELSE jsonb_build_object('text', {TEXT} || version) END
  FROM generate_series(1, {{each}}) AS version, generate_series({{first}}, {{last}}) AS n
 ORDER BY n / {ALIVE}, version, n
"""
HEADS: Final = f"""
INSERT INTO streams (stream, version, projected, pending_since)
SELECT {ID}, {{each}}, {{projected}}, {{pending}} FROM generate_series({{first}}, {{last}}) AS n
"""
TALLY: Final = """
INSERT INTO tallies (slot, events, streams, projected) VALUES (0, {events}, {streams}, {projected})
ON CONFLICT (slot) DO UPDATE SET events = tallies.events + excluded.events,
  streams = tallies.streams + excluded.streams, projected = tallies.projected + excluded.projected
"""
TODOS: Final = """
INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
SELECT stream,
       (array_agg(data ->> 'text' ORDER BY version DESC) FILTER (WHERE type <> 'TodoDeleted'))[1],
       min(recorded_at), max(recorded_at), max(version), bool_or(type = 'TodoDeleted'), count(*)
  FROM events GROUP BY stream
"""
AUDIT: Final = """
INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
SELECT stream, 1, max(version), max(position), 'perf', 1, clock_timestamp() FROM events GROUP BY stream
"""
READ_MODELS: Final = "INSERT INTO kept_read_models (projection, read_models) VALUES ('todos', '{todos}')"
TODO_TALLY: Final = """
INSERT INTO todo_tallies (slot, todos, active) SELECT 0, count(*), count(*) FILTER (WHERE NOT deleted) FROM todos
"""


def backlog(lab: Lab, url: str, *, streams: int, each: int, first: int = 1) -> int:
    """Streams with `each` events, none projected. Returns how many events that is."""
    last = first + streams - 1
    lab.sql(
        url,
        EVENTS.format(each=each, first=first, last=last),
        HEADS.format(each=each, projected=0, pending=MOMENT, first=first, last=last),
        TALLY.format(events=streams * each, streams=streams, projected=0),
    )
    return streams * each


def projected(lab: Lab, url: str, *, streams: int, each: int) -> None:
    """Streams with `each` events, all projected, in an empty database."""
    lab.sql(
        url,
        EVENTS.format(each=each, first=1, last=streams),
        HEADS.format(each=each, projected=each, pending="NULL", first=1, last=streams),
        TALLY.format(events=streams * each, streams=streams, projected=streams * each),
        TODOS,
        AUDIT,
        TODO_TALLY,
        READ_MODELS,
    )


def caught_up_heads(lab: Lab, url: str, streams: int) -> None:
    """Heads of streams whose one event is projected; without the events, which no claim looks at."""
    lab.sql(
        url,
        HEADS.format(each=1, projected=1, pending="NULL", first=1, last=streams),
        TALLY.format(events=streams, streams=streams, projected=streams),
    )


def pending_heads(lab: Lab, url: str, streams: int, *, first: int) -> None:
    """Heads of streams with one event to project; without the events."""
    lab.sql(
        url,
        HEADS.format(each=1, projected=0, pending=MOMENT, first=first, last=first + streams - 1),
        TALLY.format(events=streams, streams=streams, projected=0),
    )
