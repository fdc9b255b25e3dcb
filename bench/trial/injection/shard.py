"""The shard of several that a fault strikes: its own counts of events, and newest events, in place of those of all.

A sum goes on while one shard stands still, so it is no evidence of what was done to that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bench.oracle.connection import ERRORS, OpenConnection
from bench.oracle.read_store import shard_of
from bench.platforms.platform import System
from bench.trial.fault import Stats

ANSWER_S: Final = 1.0
"""A look is not held up for longer by a server that is struck."""
COUNTS: Final = """
SELECT coalesce(sum(events), 0)::bigint AS "eventCount", coalesce(sum(projected), 0)::bigint AS "totalEventsProjected",
       coalesce(sum(events - projected), 0)::bigint AS backlog
  FROM tallies
"""


class Shard:
    """Looks into the store of a system that is its last shard alone."""

    def __init__(self, system: System) -> None:
        self._number: Final = len(system.before)
        self._shards: Final = len(system.shards)
        self.name: Final = f"shard {self._number} of {self._shards}"
        self._url: Final = system.shards[-1].oracle
        self._open: OpenConnection | None = None

    def counted(self, stats: Stats | None) -> Stats | None:
        """The statistics, of events those of this shard; None where API or store do not tell."""
        counts = None if stats is None else self._counts()
        if stats is None or counts is None:
            return None
        newest = [one for one in stats["lastEvents"] if shard_of(one["stream"], self._shards) == self._number]
        return {**stats, **counts, "lastEvents": newest}

    def _counts(self) -> Mapping[str, int] | None:
        try:
            self._open = self._open or OpenConnection(self._url, within_s=ANSWER_S)
            (row,) = self._open.rows(COUNTS)
        except ERRORS:
            self.close()
            return None
        return dict(row)

    def close(self) -> None:
        """Close its connection; the next look opens another one."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()
