"""The read model: a materialised view that is written in the transaction of its tracking record, and its projection."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from domain import Todo, environment
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import InfrastructureFactory, Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection
from eventsourcing.utils import Environment, get_topic
from psycopg.sql import SQL, Composed, Identifier

HANDLER_LATENCY_S: Final = float(os.environ.get("HANDLER_LATENCY_MS") or 0) / 1000
"""What handling one event is made to take, for experiments with slow handlers."""


@dataclass(frozen=True)
class Row:
    """One todo as it is projected now. `applied`: how many events took effect in it."""

    id: str
    text: str
    version: int
    applied: int
    deleted: bool


class TodoView(PostgresTrackingRecorder):
    """A table of todos. Each command writes the row and the tracking record in one transaction, or neither."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.check_identifier_length("todos")
        # Ids are compared as text by code point, as the pages of the contract are ordered.
        self.sql_create_statements.append(
            self._statement(
                'CREATE TABLE IF NOT EXISTS {todos} (id text COLLATE "C" PRIMARY KEY, text text NOT NULL,'
                " version bigint NOT NULL, applied bigint NOT NULL, deleted boolean NOT NULL)"
            )
        )
        self._insert = self._statement("INSERT INTO {todos} VALUES (%s, %s, %s, 1, false)")
        self._update = self._statement(
            "UPDATE {todos} SET text = %s, version = %s, applied = applied + 1 WHERE id = %s"
        )
        self._delete = self._statement(
            "UPDATE {todos} SET deleted = true, version = %s, applied = applied + 1 WHERE id = %s"
        )
        self._one = self._statement("SELECT * FROM {todos} WHERE id = %s")
        self._page = self._statement("SELECT * FROM {todos} WHERE NOT deleted AND id > %s ORDER BY id LIMIT %s")

    def _statement(self, text: str) -> Composed:
        return SQL(text).format(todos=Identifier(self.datastore.schema, "todos"))

    def created(self, id: UUID, text: str, version: int, tracking: Tracking) -> None:
        """Raises IntegrityError where the event was tracked before."""
        self._write(tracking, self._insert, (str(id), text, version))

    def updated(self, id: UUID, text: str, version: int, tracking: Tracking) -> None:
        """Raises IntegrityError where the event was tracked before."""
        self._write(tracking, self._update, (text, version, str(id)))

    def deleted(self, id: UUID, version: int, tracking: Tracking) -> None:
        """Raises IntegrityError where the event was tracked before."""
        self._write(tracking, self._delete, (version, str(id)))

    def _write(self, tracking: Tracking, statement: Composed, values: tuple[object, ...]) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(statement, values, prepare=True)

    def get(self, id: str) -> Row | None:
        """The row of a todo, deleted or not."""
        with self.datastore.cursor() as cursor:
            row = cursor.execute(self._one, (id,), prepare=True).fetchone()
        return Row(**row) if row else None

    def page(self, after: str, limit: int) -> list[Row]:
        """Active todos by id."""
        with self.datastore.cursor() as cursor:
            return [Row(**row) for row in cursor.execute(self._page, (after, limit), prepare=True).fetchall()]


class TodoProjection(Projection[TodoView]):
    """One event at a time, in the order of the application sequence."""

    topics = (get_topic(Todo.Created), get_topic(Todo.Updated), get_topic(Todo.Deleted))

    @singledispatchmethod
    def process_event(self, domain_event: DomainEventProtocol[UUID], tracking: Tracking) -> None:
        """Events of other types are not this projection's."""

    @process_event.register
    def _created(self, domain_event: Todo.Created, tracking: Tracking) -> None:
        time.sleep(HANDLER_LATENCY_S)
        self.view.created(domain_event.originator_id, domain_event.text, domain_event.originator_version, tracking)

    @process_event.register
    def _updated(self, domain_event: Todo.Updated, tracking: Tracking) -> None:
        time.sleep(HANDLER_LATENCY_S)
        self.view.updated(domain_event.originator_id, domain_event.text, domain_event.originator_version, tracking)

    @process_event.register
    def _deleted(self, domain_event: Todo.Deleted, tracking: Tracking) -> None:
        time.sleep(HANDLER_LATENCY_S)
        self.view.deleted(domain_event.originator_id, domain_event.originator_version, tracking)


def open_view() -> TodoView:
    """The view as the projection runner opens it: by the factory, in the environment of the projection's name."""
    given = Environment(TodoProjection.name, environment())
    return InfrastructureFactory[TodoView].construct(given).tracking_recorder(TodoView)
