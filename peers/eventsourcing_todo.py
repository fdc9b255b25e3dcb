"""The Python library `eventsourcing` under the loads of `task perf`: `append many|hot SECONDS`, `rebuild EVENTS`.

Its default Postgres recorder, which locks the table for each insert and sends a NOTIFY with it. Its stored-function
option is faster, but takes no lock, and a follower then misses events. Prints one JSON document as its last line.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier

THREADS = 16
STREAMS = 1000
EACH = 10
TEXT = "buy milk, bread and a newspaper"
NAMESPACE = UUID(int=1)


class Todo(Aggregate):
    """A todo; each update is one event."""

    @event("Created")
    def __init__(self, text: str) -> None:
        self.text = text

    @staticmethod
    def create_id(text: str) -> UUID:
        """Any id will do."""
        return uuid5(NAMESPACE, text)

    @event("Updated")
    def update(self, text: str) -> None:
        """Replace the text."""
        self.text = text


class Todos(Application[UUID]):
    """The application under load; snapshots and cache are off by default."""


class TodoView(PostgresTrackingRecorder):
    """The projected table, written in the transaction of its tracking record."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS {0}.todos (id uuid PRIMARY KEY, text text, version int)").format(
                Identifier(self.datastore.schema)
            )
        )

    def put(self, id: UUID, text: str, version: int, tracking: Tracking) -> None:
        """Upsert one todo."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO todos (id, text, version) VALUES (%s, %s, %s)"
                " ON CONFLICT (id) DO UPDATE SET text = excluded.text, version = excluded.version",
                (id, text, version),
                prepare=True,
            )


class TodoProjection(Projection[TodoView]):
    """One event at a time, which is the only way that the library has."""

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Apply one event."""
        self.view.put(domain_event.originator_id, domain_event.text, domain_event.originator_version, tracking)


def environment() -> dict[str, str]:
    """The library's settings for the database of DATABASE_URL."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": url.path.strip("/"),
        "POSTGRES_HOST": url.hostname or "",
        "POSTGRES_PORT": str(url.port),
        "POSTGRES_USER": url.username or "",
        "POSTGRES_PASSWORD": url.password or "",
        "POSTGRES_POOL_SIZE": str(THREADS),
    }


def append(load: str, seconds: float) -> dict[str, float]:
    """Save updates, one event each, from 16 threads over 1,000 aggregates, or from one thread to one."""
    threads, streams = (THREADS, STREAMS) if load == "many" else (1, 1)
    app = Todos(env=environment())
    todos = [Todo(text=f"{TEXT} {n}") for n in range(streams)]
    for todo in todos:
        app.save(todo)
    counts = [0] * threads
    stop = time.perf_counter() + seconds

    def write(number: int) -> None:
        mine = todos[number::threads]
        while time.perf_counter() < stop:
            todo = mine[counts[number] % len(mine)]
            todo.update(text=TEXT)
            app.save(todo)
            counts[number] += 1

    started = time.perf_counter()
    running = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    elapsed = time.perf_counter() - started
    app.close()
    return {"events_per_s": sum(counts) / elapsed}


def rebuild(events: int) -> dict[str, float]:
    """Project a history of 10 events a stream from its beginning."""
    with Todos(env=environment()) as app:
        for n in range(events // EACH):
            todo = Todo(text=f"{TEXT} {n}")
            for _ in range(EACH - 1):
                todo.update(text=TEXT)
            app.save(todo)
        last = app.recorder.max_notification_id()
    started = time.perf_counter()
    with ProjectionRunner(
        application_class=Todos, projection_class=TodoProjection, view_class=TodoView, env=environment()
    ) as runner:
        runner.wait(last, timeout=3600)
        elapsed = time.perf_counter() - started
    return {"events_per_s": events / elapsed, "events": events}


def main() -> None:
    """Run one load."""
    load, *values = sys.argv[1:]
    print(json.dumps(append(values[0], float(values[1])) if load == "append" else rebuild(int(values[0]))))


if __name__ == "__main__":
    main()
