"""Counts of events, of effects and of todos, all of one snapshot and exact.

Notification ids have gaps: a number that was drawn by a transaction which failed is never used again. So a difference
of two ids says too much, and events are counted. The library's recorder locks its table for each insert, so that ids
become visible in their order, and what was counted up to an id once needs no second count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain import Todos
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg.sql import SQL, Composed, Identifier
from view import TodoView

_COUNTS: Final = """
SELECT (SELECT count(*) FROM {events} WHERE notification_id > %(last)s) AS newer,
       (SELECT coalesce(max(notification_id), 0) FROM {events}) AS last,
       (SELECT coalesce(max(notification_id), 0) FROM {tracking} WHERE application_name = %(name)s) AS tracked,
       count(*) AS todos, count(*) FILTER (WHERE NOT deleted) AS active, coalesce(sum(applied), 0)::bigint AS applied
FROM {todos}
"""


@dataclass(frozen=True)
class Counted:
    """So many events there are up to this notification id."""

    last: int = 0
    events: int = 0


class Stats:
    """Reads the counts; remembers how far it has counted."""

    def __init__(self, todos: Todos, view: TodoView) -> None:
        assert isinstance(todos.recorder, PostgresApplicationRecorder)
        self._name: Final = todos.name
        self._view: Final = view
        self._statement: Final[Composed] = SQL(_COUNTS).format(
            tracking=Identifier(view.datastore.schema, view.tracking_table_name),
            events=Identifier(view.datastore.schema, todos.recorder.events_table_name),
            todos=Identifier(view.datastore.schema, "todos"),
        )
        self._counted = Counted()

    def read(self) -> dict[str, int]:
        """Under the names of the contract. Projected is what took effect; `eventIdLag` counts gaps as well."""
        before = self._counted
        with self._view.datastore.cursor() as cursor:
            row = cursor.execute(self._statement, {"name": self._name, "last": before.last}).fetchone()
        assert row is not None
        events = before.events + row["newer"]
        self._counted = Counted(row["last"], events)
        return {
            "eventCount": events,
            "totalEventsProjected": row["applied"],
            "totalTodos": row["todos"],
            "activeTodos": row["active"],
            "backlog": max(0, events - row["applied"]),
            "eventIdLag": max(0, row["last"] - row["tracked"]),
        }
