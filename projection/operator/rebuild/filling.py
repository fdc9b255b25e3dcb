"""Filling of the shadow: a piece of streams at a time, folded to where the live ones stand, and compared with them.

A piece is one transaction in one snapshot, which writes the shadow alone and locks nothing of the live tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Self

import asyncpg

from projection.operator.rebuild.compared import Compared
from projection.operator.rebuild.fold import Fold, Span

EVENTS_A_STREAM: Final = 10
"""A piece has at most so many events for each stream that it may have: a long stream is filled in several pieces."""

_STANDING: Final = """
SELECT s.stream, s.projected, coalesce(s.skipped, '{{}}') AS skipped, coalesce(r.projected, 0) AS made
  FROM ({which}) AS s
  LEFT JOIN LATERAL (SELECT projected FROM rebuild_streams WHERE stream = s.stream OFFSET 0) AS r ON true
 ORDER BY s.stream
"""
AFTER: Final = _STANDING.format(which="SELECT * FROM streams WHERE stream > $1 ORDER BY stream LIMIT $2")
"""The next streams in the order of their names."""
THESE: Final = _STANDING.format(which="SELECT * FROM streams WHERE stream = ANY ($1::text[])")


@dataclass(frozen=True, slots=True)
class Standing:
    """A stream: the version to which it is projected, those that were skipped, and how far the shadow has it."""

    stream: str
    projected: int
    skipped: tuple[int, ...]
    made: int

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """From a row of `AFTER` or `THESE`."""
        return cls(row["stream"], row["projected"], tuple(row["skipped"]), row["made"])

    def spans(self, most: int) -> Iterator[Span]:
        """What the shadow lacks of it, at most so many events."""
        after, upto = self.made, min(self.projected, self.made + most)
        for version in sorted(one for one in self.skipped if after < one <= upto):
            if version - 1 > after:
                yield Span(self.stream, after, version - 1)
            yield Span(self.stream, version - 1, version, skipped=True)
            after = version
        if upto > after:
            yield Span(self.stream, after, upto)


@dataclass(frozen=True, slots=True)
class Filled:
    """What a piece has done. `last`: the stream up to which nothing is left of those that were given, in their order.

    `whole`: nothing is left of any.
    """

    streams: int
    events: int
    last: str
    whole: bool


class Filling:
    """Brings streams of the shadow to where the live ones stand in the transaction's snapshot."""

    def __init__(self, fold: Fold, compared: Compared) -> None:
        self._fold: Final = fold
        self._compared: Final = compared

    async def take(self, connection: asyncpg.Connection, streams: Sequence[Standing], size: int) -> Filled:
        """Fill some of the streams, from the first on, and compare those that are whole then. Raises NotRebuilt."""
        left, work, whole = size * EVENTS_A_STREAM, list[list[Span]](), list[str]()
        for standing in streams:
            if left <= 0:
                break
            spans = list(standing.spans(left))
            work.append(spans)
            left -= sum(span.upto - span.after for span in spans)
            if (spans[-1].upto if spans else standing.made) >= standing.projected:
                whole.append(standing.stream)
        events, stuck = 0, dict[str, str]()
        for turn in zip_longest(*work):
            done, why = await self._fold.spans(connection, [one for one in turn if one and one.stream not in stuck])
            events, stuck = events + done, {**stuck, **why}
        new = sum(bool(spans) and one.made == 0 for one, spans in zip(streams, work, strict=False))
        await self._compared.streams(connection, whole, stuck)
        return Filled(new, events, whole[-1] if whole else "", len(whole) == len(streams))
