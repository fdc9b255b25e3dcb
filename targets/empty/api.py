"""`python -m targets.empty.api`: the routes of the Todo API without a store behind them.

The same handlers, framework, server and middleware as the API's; an operation keeps its todo in a dictionary of this
process, which ends with it. What another target takes beyond it is the price of what that one keeps.
EMPTY_TODOS: how many todos are there from the start.
"""

from __future__ import annotations

import os
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from msgspec.structs import replace

from eventstore.errors import VersionConflict
from services import gc_policy
from services.api.http import problems
from services.api.http.answers import Answer, etag
from services.api.http.bodies import HealthAnswer, TodoDocument, TodoPage
from services.api.http.requests import MAX_BODY, expected_version, todo_id
from services.api.refusals import NotProjectedYet
from services.api.routes.metrics import observe
from services.api.routes.todos import todo_routes
from services.api.serving.access import Access
from services.api.serving.admission import Admission
from services.api.settings import Settings
from services.logs import set_up
from settings import Environment, SettingError
from settings.catalogue.api import API_PROCESSES
from targets.documents import Stats, Written
from targets.serving import start
from todo.commands import check_text
from todo.errors import TodoNotFound

TODOS: Final = "EMPTY_TODOS"
MOST: Final = 1_000_000
TEXT: Final = "buy milk, bread and a newspaper"


class DictionaryOperations:
    """Todos by id, with their ids in order: each new one is the highest. Nothing waits for anything."""

    def __init__(self, todos: int) -> None:
        self._todos: Final[dict[str, TodoDocument]] = {}
        self._ids: Final[list[str]] = []
        self._created = 0
        self._writes = 0
        for _ in range(todos):
            self._add(TEXT)

    async def create(self, text: str, _key: str | None) -> Answer:
        """Keep a new todo."""
        check_text(text)
        id = self._add(text)
        return Answer(Written(id, 1), ((b"location", f"/todos/{id}".encode()), etag(1)), status_code=201)

    async def update(self, stream: str, text: str, if_match: str | None, _key: str | None) -> Answer:
        """Replace the text. Raises TodoNotFound, VersionConflict."""
        check_text(text)
        found = self._at(stream, if_match)
        self._todos[found.id] = kept = replace(
            found, text=text, version=found.version + 1, updated_at=datetime.now(UTC)
        )
        self._writes += 1
        return Answer(Written(kept.id, kept.version), (etag(kept.version),))

    async def delete(self, stream: str, if_match: str | None, _key: str | None) -> Answer:
        """Forget the todo. Raises TodoNotFound, VersionConflict."""
        found = self._at(stream, if_match)
        del self._todos[found.id]
        del self._ids[bisect_left(self._ids, found.id)]
        self._writes += 1
        return Answer(None, (etag(found.version + 1),), status_code=204)

    async def read(self, stream: str) -> Answer:
        """The todo. Raises TodoNotFound."""
        found = self._find(stream)
        return Answer(found, (etag(found.version),))

    async def read_at(self, stream: str, *, at_least: int, wait_ms: int) -> Answer:
        """The same, where its version is `at_least`; nobody is waited for. Raises NotProjectedYet, TodoNotFound."""
        if self._find(stream).version < at_least:
            raise NotProjectedYet(f"version {at_least} of {stream} was not written")
        return await self.read(stream)

    async def page(self, *, after: str | None, limit: int) -> TodoPage:
        """Todos in the order of their ids."""
        start = bisect_right(self._ids, after or "")
        ids = self._ids[start : start + limit]
        return TodoPage([self._todos[id] for id in ids], ids[-1] if len(ids) == limit else None)

    def stats(self) -> Stats:
        """Exact."""
        return Stats.of(self._writes, self._created, len(self._ids))

    def _add(self, text: str) -> str:
        self._created += 1
        self._writes += 1
        id, now = f"todo-{self._created:032x}", datetime.now(UTC)
        self._todos[id] = TodoDocument(id, text, now, now, 1)
        self._ids.append(id)
        return id

    def _find(self, stream: str) -> TodoDocument:
        found = self._todos.get(todo_id(stream))
        if found is None:
            raise TodoNotFound("there is no such todo")
        return found

    def _at(self, stream: str, if_match: str | None) -> TodoDocument:
        found, expected = self._find(stream), expected_version(if_match)
        if expected not in (None, found.version):
            raise VersionConflict(found.id, expected or 0, found.version)
        return found


def _stats(operations: DictionaryOperations) -> HTTPRouteHandler:
    @get("/stats")
    async def stats() -> Stats:
        """Of this moment."""
        return operations.stats()

    return stats


@get("/readyz")
async def ready() -> HealthAnswer:
    """Always."""
    return HealthAnswer("ready")


def application() -> ASGIApp:
    """The application."""
    settings, todos = read(os.environ)
    set_up(settings.log_level, "empty")
    operations = DictionaryOperations(todos)
    app = Litestar(
        [todo_routes(operations), _stats(operations), ready],
        exception_handlers=problems.HANDLERS,
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
    )
    gc_policy.run_rarely()
    return Access(app, observe, Admission(settings.latency_max_s, problems.OVERLOADED))


def read(variables: Mapping[str, str]) -> tuple[Settings, int]:
    """The API's own settings, with the address of a store that nobody asks, and the todos. Raises SettingError."""
    settings = Settings.from_env({**variables, "DATABASE_URL": "postgresql://nobody@127.0.0.1/none"})
    if settings.processes != 1:
        raise SettingError(API_PROCESSES.name, str(settings.processes), "1, for what it keeps is in one process")
    return settings, Environment(variables).integer(TODOS, 0, low=0, high=MOST)


if __name__ == "__main__":
    sys.exit(start(read, "targets.empty.api:application"))
