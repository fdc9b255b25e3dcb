"""Read model `todos`: one row a todo, with its text and version, and how it is read.

`applied` counts the events that took effect in the row: each effect adds what it applies, and never sets it. So it is
the version, less what an operator skipped; one more is a doubled effect, which a row that was overwritten hides else.

`READ_MODEL` is what the projection is given (`projection.read_model`): SQL over sets of streams. Its meaning is that of
`todo.decisions.evolve`, event by event, and `bench.oracle.verify` checks it with code of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    bindparam,
    func,
    select,
    text,
)

from eventstore.connection.database import Database, Statement
from projection.read_model import Event, EventRefused, Invariant, ReadModel, Tally, Undo

metadata: Final = MetaData(naming_convention={"pk": "pk_%(table_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s"})

todos: Final = Table(
    "todos",
    metadata,
    Column("id", Text(collation="C")),
    Column("text", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("version", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("applied", Integer, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("version > 0", name="version"),
    postgresql_with={"fillfactor": 80},
)
# A page of active todos must not wade through the deleted ones. The primary key could serve it too, and a plan that is
# made while the table is empty may choose it, so order and comparison are in another collation, of the same byte order.
_page_order: Final = todos.c.id.collate("POSIX")
Index("ix_todos_active", _page_order, postgresql_where=text("NOT deleted"))

todo_tallies: Final = Table(
    "todo_tallies",
    metadata,
    Column("slot", SmallInteger),
    Column("todos", BigInteger, nullable=False),
    Column("active", BigInteger, nullable=False),
    PrimaryKeyConstraint("slot"),
    postgresql_with={"fillfactor": 50},
)

REFUSAL: Final = """
CASE WHEN (e.version = 1) <> (e.type = 'TodoCreated') THEN e.type || ' can not be event number ' || e.version
     WHEN e.type IN ('TodoCreated', 'TodoUpdated') THEN
       CASE WHEN jsonb_typeof(e.data -> 'text') IS DISTINCT FROM 'string' THEN e.type || ' has no text' END
     WHEN e.type <> 'TodoDeleted' THEN 'unknown event type ' || e.type
END
"""
"""Why event `e` can not be applied, or NULL."""

FOLD: Final = """
min(recorded_at) FILTER (WHERE version = 1) AS created_at,
min(version) FILTER (WHERE type = 'TodoDeleted') AS deleted_version
"""
"""One stream's events of a batch, as aggregates that need no order."""

NOTHING_AFTER_DELETION: Final = Invariant(
    holds="coalesce(deleted_version = last, true)",
    broken_at="deleted_version + 1",
    reason="events follow a deletion",
)

NEWEST: Final = """
e.recorded_at AS updated_at, deleted_version IS NOT NULL AS deleted,
CASE WHEN deleted_version IS NULL THEN e.data ->> 'text'
     WHEN first < last THEN (SELECT b.data ->> 'text' FROM events b WHERE b.stream = e.stream AND b.version = last - 1)
END AS text
"""
"""What the last event `e` of a consistent fold tells; `text` is NULL when no event of the batch sets it.

Every event but a deletion sets the text. Times follow the versions, since clocks can go back.
"""

# BETWEEN and CASE leave the planner nothing but lookups by id. With = and a plain condition it could read a whole
# index in its order, and did where it knew the table to be empty.
EFFECT: Final = """
inserted AS (
  INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
  SELECT stream, text, created_at, updated_at, last, deleted, events FROM clean WHERE first = 1
  RETURNING id, deleted
),
updated AS (
  UPDATE todos t
     SET text = coalesce(clean.text, t.text), updated_at = clean.updated_at, version = clean.last,
         deleted = clean.deleted, applied = t.applied + clean.events
    FROM clean
   WHERE clean.first > 1 AND t.id BETWEEN clean.stream AND clean.stream
     AND CASE WHEN NOT t.deleted THEN t.version END = clean.first - 1
  RETURNING t.id, t.deleted
),
applied AS (
  SELECT id AS stream FROM inserted UNION ALL SELECT id FROM updated
),
todos_tallied AS (
  INSERT INTO todo_tallies (slot, todos, active)
  SELECT :slot ::smallint, i.todos, i.active - u.deleted
    FROM (SELECT count(*) AS todos, count(*) FILTER (WHERE NOT deleted) AS active FROM inserted) AS i,
         (SELECT count(*) FILTER (WHERE deleted) AS deleted FROM updated) AS u
   WHERE i.todos > 0 OR u.deleted > 0
  ON CONFLICT (slot) DO UPDATE
     SET todos = todo_tallies.todos + excluded.todos, active = todo_tallies.active + excluded.active
)
"""
"""From relation `clean` (stream, first, last, columns of FOLD and NEWEST) to `applied`: the streams whose row moved.

A row moves only from the version right before the stream's first event.
"""

UNDO: Final = """
removed AS (
  DELETE FROM todos WHERE id = ANY (:streams ::text[]) RETURNING deleted
),
gone AS (
  SELECT count(*) AS todos, count(*) FILTER (WHERE NOT deleted) AS active FROM removed
),
uncounted AS (
  INSERT INTO todo_tallies (slot, todos, active) SELECT :slot ::smallint, -todos, -active FROM gone WHERE todos > 0
  ON CONFLICT (slot) DO UPDATE
     SET todos = todo_tallies.todos + excluded.todos, active = todo_tallies.active + excluded.active
)
"""

SKIPPED: Final = """
passed AS (
  UPDATE todos t SET version = skipped.projected FROM skipped
   WHERE t.id = skipped.stream AND t.version = skipped.projected - 1
)
"""
"""The row keeps its text and takes the version; nothing was applied."""

CREATE: Final = Statement(
    text("""
WITH created AS (
  INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
  VALUES (:id, :text, :at ::timestamptz, :at ::timestamptz, 1, false, 1)
)
INSERT INTO todo_tallies (slot, todos, active) VALUES (:slot ::smallint, 1, 1)
ON CONFLICT (slot) DO UPDATE SET todos = todo_tallies.todos + 1, active = todo_tallies.active + 1
""")
)

# CASE leaves the planner nothing but the lookup by id: see EFFECT.
UPDATE: Final = Statement(
    text("""
UPDATE todos SET text = :text, updated_at = :at ::timestamptz, version = :version ::int, applied = applied + 1
 WHERE id = :id AND CASE WHEN NOT deleted THEN version END = :version - 1
RETURNING id
""")
)

DELETE: Final = Statement(
    text("""
WITH gone AS (
  UPDATE todos SET deleted = true, updated_at = :at ::timestamptz, version = :version ::int, applied = applied + 1
   WHERE id = :id AND CASE WHEN NOT deleted THEN version END = :version - 1
  RETURNING id
),
tallied AS (
  INSERT INTO todo_tallies (slot, todos, active) SELECT :slot ::smallint, 0, -1 FROM gone
  ON CONFLICT (slot) DO UPDATE SET active = todo_tallies.active - 1
)
SELECT id FROM gone
""")
)

UNAPPLIED: Final = "the projected row is missing, deleted, or not at the version before the event"


def refusal(event: Event) -> str | None:
    """Why the event can not be applied, whatever the row says: `REFUSAL`, in Python."""
    if (event.version == 1) != (event.type == "TodoCreated"):
        return f"{event.type} can not be event number {event.version}"
    if event.type in ("TodoCreated", "TodoUpdated"):
        has_text = isinstance(event.data, dict) and isinstance(event.data.get("text"), str)
        return None if has_text else f"{event.type} has no text"
    return None if event.type == "TodoDeleted" else f"unknown event type {event.type}"


async def apply(connection: asyncpg.Connection, event: Event) -> None:
    """Apply one event to its todo, from the version right before it. Raises EventRefused."""
    if why := refusal(event):
        raise EventRefused(why)
    values = {"id": event.stream, "at": event.recorded_at}
    match event.type:
        case "TodoCreated":
            statement, values = CREATE, {**values, "text": event.data["text"], "slot": event.slot}
        case "TodoUpdated":
            statement, values = UPDATE, {**values, "text": event.data["text"], "version": event.version}
        case _:
            statement, values = DELETE, {**values, "version": event.version, "slot": event.slot}
    rows = await connection.fetch(statement.sql, *statement.arguments(values))
    if statement is not CREATE and not rows:
        raise EventRefused(UNAPPLIED)


READ_MODEL: Final = ReadModel(
    name="todos",
    tables=(todos, todo_tallies),
    read={"todos": "SELECT", "todo_tallies": "SELECT"},
    project={"todos": "SELECT, INSERT, UPDATE", "todo_tallies": "SELECT, INSERT, UPDATE"},
    refusal=REFUSAL,
    fold=FOLD,
    newest=NEWEST,
    invariant=NOTHING_AFTER_DELETION,
    effect=EFFECT,
    apply=apply,
    applied="applied",
    unapplied=UNAPPLIED,
    skipped=SKIPPED,
    undo=Undo(
        statements=UNDO,
        counted="gone",
        strays={"todos": "NOT EXISTS (SELECT FROM streams s WHERE s.stream = todos.id)"},
    ),
    tallies=(
        Tally(
            table="todo_tallies",
            of="todos",
            counters={"todos": "count(*)", "active": "count(*) FILTER (WHERE NOT deleted)"},
        ),
    ),
    of_stream={"todos": "id"},
)


@dataclass(frozen=True, slots=True)
class Todo:
    """One row of the projection; `version` is that of the last event applied to it, of `applied` in all."""

    id: str
    text: str
    created_at: datetime
    updated_at: datetime
    version: int
    deleted: bool
    applied: int


@dataclass(frozen=True, slots=True)
class TodoCounts:
    """All todos ever projected, and those not deleted."""

    total: int
    active: int


_COLUMNS: Final = (
    todos.c.id,
    todos.c.text,
    todos.c.created_at,
    todos.c.updated_at,
    todos.c.version,
    todos.c.deleted,
    todos.c.applied,
)

GET: Final = Statement(select(*_COLUMNS).where(todos.c.id == func.any(bindparam("ids", type_=ARRAY(Text)))))

PAGE: Final = Statement(
    select(*_COLUMNS)
    .where(~todos.c.deleted, _page_order > bindparam("after", type_=Text))
    .order_by(_page_order)
    .limit(bindparam("limit", type_=Integer))
)

COUNTS: Final = Statement(
    select(
        func.coalesce(func.sum(todo_tallies.c.todos), 0).cast(BigInteger).label("total"),
        func.coalesce(func.sum(todo_tallies.c.active), 0).cast(BigInteger).label("active"),
    )
)


async def get_todos(database: Database, ids: Sequence[str]) -> dict[str, Todo]:
    """The rows of these todos by id, deleted or not; those that were never projected are left out."""
    return {row["id"]: _todo(row) for row in await database.fetch(GET, ids=ids)}


async def list_todos(database: Database, *, after: str | None = None, limit: int = 100) -> list[Todo]:
    """Active todos with id > `after`, in the byte order of their ids, at most `limit`."""
    return [_todo(row) for row in await database.fetch(PAGE, after=after or "", limit=limit)]


async def count_todos(database: Database) -> TodoCounts:
    """Exact counts, at a cost that does not grow with the table."""
    (row,) = await database.fetch(COUNTS)
    return TodoCounts(row["total"], row["active"])


def _todo(row: asyncpg.Record) -> Todo:
    return Todo(
        row["id"],
        row["text"],
        row["created_at"],
        row["updated_at"],
        row["version"],
        row["deleted"],
        row["applied"],
    )
