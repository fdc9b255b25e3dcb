"""The JSON documents of the targets without events: what the contract asks for, and nothing beside it."""

from __future__ import annotations

from typing import Self

from msgspec import Struct


class Written(Struct, frozen=True):
    """A write that was kept. There is no event of it, so it has no position."""

    stream: str
    version: int


class Stats(Struct, frozen=True, rename="camel"):
    """The required figures."""

    event_count: int
    total_events_projected: int
    total_todos: int
    active_todos: int
    backlog: int

    @classmethod
    def of(cls, writes: int, created: int, active: int) -> Self:
        """Each write counts as an event that takes effect at once, so nothing is ever left to project."""
        return cls(writes, writes, created, active, 0)
