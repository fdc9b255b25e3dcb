"""Foreign clients that go on beside the load, each in a thread of its own, until they are told to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from bench.trial.foreign.session import NAME

ENDS_S: Final = 10.0
"""What a client has under way is bounded by less."""

Client = Callable[[Event], None]
"""Works until the event is set; it waits by it, too."""


@contextmanager
def running(*clients: Client) -> Iterator[None]:
    """They run until the block ends. A thread that would not end holds up no process."""
    ending = Event()
    threads = [Thread(target=client, args=(ending,), name=NAME, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join(ENDS_S)
