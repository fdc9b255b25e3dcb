"""The workers of one projector process: one for each shard that it serves, beside one another.

Each has the connections, the listener, the heartbeat and the registration of a projector that has that store alone, so
one that waits for its store holds up none of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from eventstore.shards.hash_slots import Place
from services.projector.files.health import HealthWriter
from services.projector.settings import Settings
from services.projector.worker import Worker


def served(settings: Settings) -> list[tuple[str, Place]]:
    """Address and place of each shard that the process serves."""
    urls = settings.database_urls
    numbers = range(len(urls)) if settings.served is None else settings.served
    return [(urls[number], Place(number, len(urls))) for number in numbers]


class Fleet:
    """Runs workers until all have ended. `health` tells of all of them, where there are several."""

    def __init__(self, workers: Sequence[tuple[Worker, Place]], health: HealthWriter | None) -> None:
        self._workers = workers
        self._health = health

    def stop(self) -> None:
        """Have each finish the step under way, and give everything back."""
        for worker, _ in self._workers:
            worker.stop()

    async def run(self) -> None:
        """Work. The first that is ended by a defect, or by what a job does not wait for, ends the others: it is raised.

        One alone is run by the caller's own task.
        """
        if self._health is None:
            for worker, _ in self._workers:
                await worker.run()
            return
        told = asyncio.create_task(self._health.run())
        works = [asyncio.create_task(_run(worker, place)) for worker, place in self._workers]
        for work in works:
            work.add_done_callback(self._stop_after_error)
        try:
            await asyncio.wait(works)
        finally:
            told.cancel()
            with suppress(asyncio.CancelledError):
                await told
        for work in works:
            work.result()

    def _stop_after_error(self, work: asyncio.Task[None]) -> None:
        if not work.cancelled() and work.exception():
            self.stop()


async def _run(worker: Worker, place: Place) -> None:
    # Every line that this task logs, and those of the tasks that it starts, name the shard.
    structlog.contextvars.bind_contextvars(shard=place.number)
    await worker.run()
