"""Rebuilds as tests run them: by the owner of the tables, in small pieces, broken off at named moments."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from eventstore.connection.database import Database
from eventstore.connection.planner import JOB
from projection.operator import Rebuild, Steps
from services.projector.read_models import load
from tests.integration.projector.stage import Stage, life

SMALL: Final = 7
MOMENTS: Final = ("made", "filled", "fenced", "locked", "caught up", "compared", "switched")
OIDS: Final = """
SELECT array_agg(one::regclass::oid ORDER BY one) FROM unnest('{todos,todo_tallies,activity}'::text[]) AS one
"""
LEFT: Final = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('public_rebuild', 'public_before')"


class Stopped(Exception):
    """The rebuild is broken off here."""


class At:
    """A hook that does something at the nth time of a moment, by default breaks off; `seen` counts all moments."""

    def __init__(self, moment: str, does: Callable[[], Awaitable[None]] | None = None, nth: int = 1) -> None:
        self.seen: Counter[str] = Counter()
        self._moment, self._does, self._nth = moment, does, nth

    async def __call__(self, moment: str) -> None:
        self.seen[moment] += 1
        if moment != self._moment or self.seen[moment] != self._nth:
            return
        if self._does is None:
            raise Stopped
        await self._does()


@asynccontextmanager
async def rebuild(stage: Stage, holder: str = "test", **options: Any) -> AsyncIterator[Rebuild]:
    """A rebuild of the stage's read models, or of `models`, that is not begun."""
    models = options.pop("models", None) or load(stage.read_models)
    most = options.pop("most", SMALL)
    async with Database(stage.url, pool_size=1, application_name="rebuild", planner=JOB) as database:
        yield Rebuild(Steps(database, models, most=most), models, holder, **options)


async def history(stage: Stage, streams: int = 30) -> None:
    """Todos of one to three events, every fourth deleted, all projected."""
    for number in range(streams):
        await stage.append(f"todo-{number * 7 % streams:03}", *life("a", *"bc"[: number % 3], deleted=number % 4 == 0))
    await stage.catch_up()
