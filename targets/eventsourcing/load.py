"""The loads of `task perf`: `append many|hot SECONDS`, `rebuild EVENTS`. Prints one JSON document as its last line."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Final

from domain import Todo, Todos, environment
from eventsourcing.projection import ProjectionRunner
from view import TodoProjection, TodoView

THREADS: Final = 16
STREAMS: Final = 1000
EACH: Final = 10
TEXT: Final = "buy milk, bread and a newspaper"


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


def main() -> None:
    """Run one load."""
    load, *values = sys.argv[1:]
    print(json.dumps(append(values[0], float(values[1])) if load == "append" else rebuild(int(values[0]))))


if __name__ == "__main__":
    main()
