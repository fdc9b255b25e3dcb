"""The loads of `task perf`: `append many|hot SECONDS`, `rebuild EVENTS`. Prints one JSON document as its last line.

`ended SECONDS` is no load of it: what a save says while sessions are ended, for NOTES.md.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from typing import Final
from uuid import UUID

import psycopg
from domain import Todo, Todos, environment
from eventsourcing.persistence import PersistenceError
from eventsourcing.postgres import PostgresApplicationRecorder
from eventsourcing.projection import ProjectionRunner
from psycopg.sql import SQL, Identifier
from view import TodoProjection, TodoView

THREADS: Final = 16
STREAMS: Final = 1000
EACH: Final = 10
TEXT: Final = "buy milk, bread and a newspaper"
WRITERS: Final = 8
END_ONE: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL LIMIT 1
"""


def append(load: str, seconds: float) -> dict[str, float]:
    """Save updates, one event each, from 16 threads over 1,000 aggregates, or from one thread to one."""
    threads, streams = (THREADS, STREAMS) if load == "many" else (1, 1)
    app = Todos(env=environment() | {"POSTGRES_POOL_SIZE": str(THREADS)})
    todos = [app.create(f"{TEXT} {n}") for n in range(streams)]
    counts = [0] * threads
    started = time.perf_counter()
    stop = started + seconds

    def write(number: int) -> None:
        mine = todos[number::threads]
        while time.perf_counter() < stop:
            todo = mine[counts[number] % len(mine)]
            todo.update(text=TEXT)
            app.save(todo)
            counts[number] += 1

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


def ended(seconds: float) -> dict[str, int]:
    """Save new aggregates from 8 threads while one session within a transaction is ended each 50 ms.

    Each answer, by whether the event is in the table afterwards, and how often.
    """
    app, answers, sessions = Todos(env=environment()), dict[UUID, str](), 0
    assert isinstance(app.recorder, PostgresApplicationRecorder)
    stop = time.perf_counter() + seconds

    def write() -> None:
        while time.perf_counter() < stop:
            todo = Todo(text=TEXT)
            try:
                app.save(todo)
                answers[todo.id] = "saved"
            except PersistenceError as error:
                answers[todo.id] = type(error).__name__

    running = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in running:
        thread.start()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as dba:
        while time.perf_counter() < stop:
            sessions += len(dba.execute(END_ONE).fetchall())
            time.sleep(0.05)
        for thread in running:
            thread.join()
        table = Identifier(app.recorder.datastore.schema, app.recorder.events_table_name)
        there = {row[0] for row in dba.execute(SQL("SELECT originator_id FROM {}").format(table))}
    app.close()
    told = Counter(f"{answer}, {'' if id in there else 'not '}in the table" for id, answer in answers.items())
    return {"sessions ended": sessions} | dict(sorted(told.items()))


def main() -> None:
    """Run one load."""
    load, *values = sys.argv[1:]
    if load == "append":
        print(json.dumps(append(values[0], float(values[1]))))
    else:
        print(json.dumps(rebuild(int(values[0])) if load == "rebuild" else ended(float(values[0]))))


if __name__ == "__main__":
    main()
