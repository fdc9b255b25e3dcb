"""Outcome of a batch: the statement's one row, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from projection.statement.window import BUSY


@dataclass(frozen=True, slots=True)
class Trouble:
    """A stream that could not be applied: from which version on, and why.

    `position` is the lowest of the stream's events from there on; a hole at the stream's end has none.
    """

    stream: str
    epoch: int
    version: int
    position: int | None
    reason: str

    @property
    def busy(self) -> bool:
        """True when the stream is not at fault: somebody else has its row for the moment."""
        return self.reason == BUSY


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one batch did.

    `leases` were still held, those of busy streams not counted. In serial mode `walked` events were looked at, the last
    one at position `last`.
    """

    leases: int
    walked: int
    duplicates: int
    streams: int
    events: int
    last: int | None
    troubled: tuple[Trouble, ...]
    due: float | None = None


def outcome(row: asyncpg.Record) -> Outcome:
    """Read the statement's one row."""
    values: dict[str, Any] = dict(row)
    values.pop("refused")
    troubled = msgspec.convert(values.pop("troubled") or [], list[Trouble])
    return Outcome(**values, troubled=tuple(troubled))
