"""Per-event batch of the global order: events in the order of the log, all of a window or none of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from projection.read_model import Event
from projection.statement.each.applying import Refused, apply_alone, apply_one
from projection.statement.each.frame import Frame, troubles
from projection.statement.each.span import Cause, Span, judged
from projection.statement.outcome import Outcome


@dataclass(frozen=True)
class OrderedBatch:
    """Runs batches of `global-order`."""

    frame: Frame

    async def __call__(self, **values: Any) -> Outcome:
        """Apply the next window of the log and move the cursor, or say which stream stands in the way.

        Raises what blames no event.
        """
        try:
            return await self.frame.transaction(lambda connection: self._pass(connection, values, alone=False))
        except Refused:
            return await self.frame.transaction(lambda connection: self._pass(connection, values, alone=True))

    async def _pass(self, connection: asyncpg.Connection, values: Mapping[str, Any], *, alone: bool) -> Outcome:
        rows = await self.frame.held(connection, values)
        if not rows:
            return Outcome(0, 0, 0, 0, 0, None, ())
        window = Window([row for row in rows if row["position"] is not None], values["slot"])
        whole, causes = judged(window.pending(), self.frame.guard)
        causes += window.absent()
        if not causes:
            causes += await self._apply(connection, window, alone=alone)
        if causes:
            return Outcome(1, window.walked, 0, 0, 0, window.last, await troubles(connection, causes))
        told = {"leases": 1, "walked": window.walked, "duplicates": window.duplicates, "last_position": window.last}
        streams, events = await self.frame.checkpoint(connection, whole, {**values, **told})
        return Outcome(1, window.walked, window.duplicates, streams, events, window.last, ())

    async def _apply(self, connection: asyncpg.Connection, window: Window, *, alone: bool) -> list[Cause]:
        """Apply all, or, where they may be refused one by one, none. The first that is refused, as its stream's."""
        if not alone:
            for event in window.events():
                await apply_one(self.frame.functions, connection, event, self.frame.stalls)
            return []
        try:
            async with connection.transaction():
                for event in window.events():
                    await apply_alone(self.frame.functions, connection, event, self.frame.stalls)
        except Refused as refused:
            event = refused.event
            self.frame.stalls.forget(event)
            return [Cause(window.spans[event.stream], event.version, refused.reason)]
        return []


class Window:
    """A piece of the log, as rows in its order; `spans` are its streams, with the events that have no effect yet."""

    def __init__(self, rows: Sequence[asyncpg.Record], slot: int) -> None:
        self._rows = rows
        self.walked = len(rows)
        self.last: int | None = rows[-1]["position"] if rows else None
        self._absences = {row["stream"]: row["absence"] for row in rows if row["absence"] is not None}
        self.spans: dict[str, Span] = {}
        for row in sorted(rows, key=lambda row: row["version"]):
            span = self.spans.setdefault(row["stream"], Span(row["stream"], row["epoch"], row["projected"] or 0))
            if row["unseen"]:
                span.events.append(Event.of(row, slot))

    @property
    def duplicates(self) -> int:
        """How many events took effect before."""
        return self.walked - sum(len(span.events) for span in self.spans.values())

    def pending(self) -> Iterator[Span]:
        """The streams with something to apply and a checkpoint to judge it by, in the order of their names."""
        names = sorted(self.spans.keys() - self._absences.keys())
        return (self.spans[name] for name in names if self.spans[name].events)

    def absent(self) -> list[Cause]:
        """The streams whose checkpoint can not be had."""
        firsts = {name: self.spans[name].events[0].version for name in self._absences}
        return [Cause(self.spans[name], firsts[name], absence) for name, absence in self._absences.items()]

    def events(self) -> Iterator[Event]:
        """What is to be applied, in the order of the log; a stream's own events by version, wherever they stand."""
        left = {name: iter(span.events) for name, span in self.spans.items()}
        return (next(left[row["stream"]]) for row in self._rows if row["unseen"])
