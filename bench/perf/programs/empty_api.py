"""`python -m bench.perf.programs.empty_api`: the routes of the Todo API without a store behind them.

The same handlers, framework, server and middleware as the API's; an operation answers a document of the same shape and
looks nothing up. What the API takes beyond it is the price of the event store and the projection.
"""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime
from typing import Final

from litestar import Litestar, get
from litestar.types import ASGIApp

from services import gc_policy
from services.api.http import problems
from services.api.http.answers import Answer, etag
from services.api.http.bodies import TodoDocument, TodoPage, Written
from services.api.routes.metrics import observe
from services.api.routes.todos import todo_routes
from services.api.serving.access import Access
from services.api.serving.server import serve
from services.api.settings import Settings
from services.logs import set_up

MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)


class NoOperations:
    """Answers of the right shape, at once."""

    def __init__(self) -> None:
        self._numbers: Final = itertools.count(1)

    async def create(self, _text: str, _key: str | None) -> Answer:
        """An id, and nothing behind it."""
        stream = f"todo-{next(self._numbers):032x}"
        return Answer(Written(stream, 1, 1), ((b"location", f"/todos/{stream}".encode()), etag(1)), status_code=201)

    async def update(self, stream: str, _text: str, _if_match: str | None, _key: str | None) -> Answer:
        """Nothing."""
        return Answer(Written(stream, 2, 2), (etag(2),))

    async def delete(self, _stream: str, _if_match: str | None, _key: str | None) -> Answer:
        """Nothing."""
        return Answer(None, (etag(3),), status_code=204)

    async def read(self, stream: str) -> Answer:
        """A todo that is always the same."""
        return Answer(TodoDocument(stream, "buy milk, bread and a newspaper", MOMENT, MOMENT, 1), (etag(1),))

    async def read_at(self, stream: str, *, at_least: int, wait_ms: int) -> Answer:
        """The same: every version has been reached."""
        return await self.read(stream)

    async def page(self, *, after: str | None, limit: int) -> TodoPage:
        """Empty."""
        return TodoPage([], None)


@get("/readyz")
async def ready() -> dict[str, str]:
    """Always."""
    return {"status": "ready"}


def application() -> ASGIApp:
    """The application."""
    set_up(_settings().log_level, "empty")
    app = Litestar(
        [todo_routes(NoOperations()), ready],
        exception_handlers=problems.HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    gc_policy.run_rarely()
    return Access(app, observe)


def _settings() -> Settings:
    """The API's, with the address of a store that nobody asks."""
    return Settings.from_env({**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1/none"})


if __name__ == "__main__":
    serve(_settings(), "bench.perf.programs.empty_api:application")
