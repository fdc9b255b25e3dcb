"""How todos are looked up, whatever stands behind it: one of them by its id, or a page of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from todo.read_models.todos import Todo

Find = Callable[[str], Awaitable[Todo | None]]
"""A todo by its id, deleted or not; None where it was never projected."""


class Page(Protocol):
    """Active todos with id > `after`, in the byte order of their ids, at most `limit`."""

    async def __call__(self, *, after: str | None, limit: int) -> list[Todo]: ...
