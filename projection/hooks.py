"""Hooks: named moments of a strategy and of the worker around it, at which a test can stop it or let it fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Hook = Callable[[str], Awaitable[None]]
"""Called at `claimed`, `applied`, `idle` and `failed`."""


async def no_hook(_moment: str) -> None:
    """Go on."""
