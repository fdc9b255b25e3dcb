"""Per-event batch of streams, leased or locked: what is in trouble is left out, and the others go on.

Of a stream whose function raises nothing is applied. The first pass has no savepoints. Where a function raises it is
undone, and a second pass finds the events that are to blame, each under a savepoint of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from projection.statement.each.applying import Refused, apply_alone, apply_one
from projection.statement.each.frame import Frame, fetch, troubles
from projection.statement.each.span import Cause, Span, judged
from projection.statement.each.statements import DUE_IN
from projection.statement.outcome import Outcome
from projection.statement.window import BUSY


@dataclass(frozen=True)
class StreamBatch:
    """Runs batches of `stream-leases` and `stream-locks`."""

    frame: Frame

    async def __call__(self, **values: Any) -> Outcome:
        """Apply the events of the streams that are held, and commit. Raises what blames no event."""
        try:
            return await self.frame.transaction(lambda connection: self._pass(connection, values, alone=False))
        except Refused:
            return await self.frame.transaction(lambda connection: self._pass(connection, values, alone=True))

    async def _pass(self, connection: asyncpg.Connection, values: Mapping[str, Any], *, alone: bool) -> Outcome:
        frame = self.frame
        rows, uptos = await self._held(connection, values)
        held = [row for row in rows if not row["busy"]]
        if not held and not frame.shape.troubled:
            (row,) = await fetch(connection, DUE_IN, {})
            return Outcome(0, 0, 0, 0, 0, None, (), row["due"])
        spans = {row["stream"]: Span(row["stream"], row["epoch"], row["projected"], row["former"]) for row in held}
        await frame.read(connection, spans, [uptos[row["stream"]] for row in held], values["slot"])
        whole, causes = judged(spans.values(), frame.guard)
        refused = [cause for span in whole if (cause := await self._apply(connection, span, alone=alone))]
        left = {cause.span.stream for cause in refused}
        done = [span for span in whole if span.stream not in left]
        causes += refused
        causes += [Cause(Span(row["stream"], row["epoch"], 0), 0, BUSY) for row in rows if row["busy"]]
        troubled = await troubles(connection, causes) if frame.shape.troubled else ()
        told = {**values, "leases": len(held), "troubled": len(troubled)}
        streams, events = await frame.checkpoint(connection, done, told)
        return Outcome(len(held), 0, 0, streams, events, None, troubled)

    async def _held(
        self, connection: asyncpg.Connection, values: Mapping[str, Any]
    ) -> tuple[Sequence[asyncpg.Record], Mapping[str, int]]:
        """The streams in hand, and up to which version. By locks `limit` times `events` in all, of few streams too."""
        if self.frame.shape.troubled:
            rows: Sequence[asyncpg.Record] = await self.frame.held(connection, values)
            return rows, {row["stream"]: row["upto"] for row in rows}
        most = values["limit"] * values["events"]
        rows = await self.frame.held(connection, {**values, "events": most})
        uptos = within(rows, most)
        return [row for row in rows if row["stream"] in uptos], uptos

    async def _apply(self, connection: asyncpg.Connection, span: Span, *, alone: bool) -> Cause | None:
        """Apply a stream's events: all of them, or, where they may be refused one by one, none. What it came to."""
        functions, stalls = self.frame.functions, self.frame.stalls
        if not alone:
            for event in span.events:
                await apply_one(functions, connection, event, stalls)
            return None
        try:
            async with connection.transaction():
                for event in span.events:
                    await apply_alone(functions, connection, event, stalls)
        except Refused as refused:
            if self.frame.shape.troubled:
                # Otherwise somebody with a lease is to find it, and to count it.
                stalls.forget(refused.event)
            return Cause(span, refused.event.version, refused.reason)
        return None


def within(rows: Sequence[asyncpg.Record], most: int) -> dict[str, int]:
    """Up to which version the first of the streams are applied, so that it is `most` events in all."""
    uptos: dict[str, int] = {}
    left = most
    for row in rows:
        if left <= 0:
            break
        uptos[row["stream"]] = row["projected"] + left
        left -= max(1, min(left, row["version"] - row["projected"]))
    return uptos
