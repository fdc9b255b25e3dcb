"""The projector: the library's projection runner, from the last tracking record on, until SIGTERM or SIGINT.

One that ended with an error is started again after a second, as a service manager would.
"""

from __future__ import annotations

import signal
import threading
from typing import Final

from domain import Todos, environment
from eventsourcing.projection import ProjectionRunner
from view import TodoProjection, TodoView

PAUSE_S: Final = 1.0


def main() -> None:
    """Run the projection."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    while not stopping.is_set():
        try:
            _run(stopping)
        except Exception as error:
            print(f"the projection ended: {type(error).__name__}: {error}; again in {PAUSE_S:g} s", flush=True)
            stopping.wait(PAUSE_S)


def _run(stopping: threading.Event) -> None:
    with ProjectionRunner(
        application_class=Todos, projection_class=TodoProjection, view_class=TodoView, env=environment()
    ) as runner:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: (stopping.set(), runner.stop()))
        print("the projection is running", flush=True)
        if not stopping.is_set():
            runner.run_forever()


if __name__ == "__main__":
    main()
