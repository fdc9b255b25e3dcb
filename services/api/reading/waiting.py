"""Read your own writes: poll the read model, with backoff, until a todo has reached a version."""

from __future__ import annotations

import asyncio
from typing import Final

from services.api.reading.lookups import Find
from services.api.refusals import NotProjectedYet
from todo.read_models.todos import Todo

MAX_WAIT_MS: Final = 10_000
DEFAULT_WAIT_MS: Final = 1_000

_FIRST_PAUSE_S: Final = 0.001
_LONGEST_PAUSE_S: Final = 0.025


async def get_todo_at(find: Find, id: str, *, at_least: int, wait_ms: int) -> Todo:
    """The todo, deleted or not, once its version is `at_least`; looks at once, then ever more rarely.

    Raises NotProjectedYet when `wait_ms` have passed.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + wait_ms / 1000
    pause = _FIRST_PAUSE_S
    while True:
        todo = await find(id)
        if todo is not None and todo.version >= at_least:
            return todo
        left = deadline - clock()
        if left <= 0:
            raise NotProjectedYet(f"version {at_least} of {id} was not projected within {wait_ms} ms")
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE_S)
