"""Immediate shutdown of one shard's server: reads and writes of the other shards go on, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from typing import Any, Final
from urllib.error import HTTPError

from bench.oracle.connection import ERRORS, OpenConnection
from bench.oracle.read_store import shard_of
from bench.platforms import http_client
from bench.platforms.platform import Kill, Part, Start, System
from bench.trial.fault import Evidence, NotApplicable, Stats
from settings.catalogue.projection import Strategy

WATCHED: Final = (5, 40)
"""Todos of the other shards, at least and at most, which are read again and again."""
BEFORE: Final = (60, 1.5)
"""Reads of them before the strike at the most, and for how long."""
AT_ONCE: Final = (20, 1.0)
"""The same each time that the fault is shown something."""
AWAY_S: Final = 3.0
"""How long the shard stays away, at least."""
WRITTEN: Final = "SELECT coalesce(sum(events), 0) FROM tallies"


class Fault:
    """Hit: the shard was away, writes to it were not acknowledged, and meanwhile every read of the others was answered
    and they took events.
    """

    sharded = "all"

    def __init__(self) -> None:
        self._system: System
        self._victim: Part
        self._todos: Iterator[str] = iter(())
        self._before: list[float] = []
        self._meanwhile: list[float] = []
        self._unanswered = 0
        self._struck_at = 0.0
        self._was_away = False
        self._written: list[int] = []

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """Two shards. The load generator waits until the API tells of both again."""
        return {"SHARDS": "2", "SILENCE_MAX": "60s"}

    def set_up(self, system: System) -> None:
        """Needs several shards, and the powers to kill and to start a server."""
        if len(system.shards) < 2:
            raise NotApplicable("SHARDS", "there is no shard beside that which would be lost", "set SHARDS=2 or more")
        system.require("postgres", Kill, Start)
        self._system = system
        self._victim = system.parts("postgres")[-1]

    def invoke(self, stats: Stats) -> bool:
        """Read todos of the others for a measure, then end the last shard's server as a crash would."""
        shards = len(self._system.shards)
        least, most = WATCHED
        try:
            ids = islice(http_client.todo_ids(self._system.base_url), most * shards)
            others = [id for id in ids if shard_of(id, shards) != shards - 1][:most]
        except http_client.UNREADABLE:
            return False
        if len(others) < least:
            return False
        self._todos = cycle(others)
        self._before = list(self._reads(*BEFORE))
        self._written = [self._events()]
        self._system.kill(self._victim)
        self._struck_at = time.monotonic()
        return True

    def watch(self, stats: Stats | None) -> bool:
        """Read the others meanwhile; it heals once the API could not tell of all shards, and a while has passed."""
        if len(self._written) > 1:
            return True
        self._was_away |= stats is None
        self._meanwhile += self._reads(*AT_ONCE)
        return self._was_away and time.monotonic() - self._struck_at > AWAY_S

    def heal(self) -> None:
        """Start it again, at its address and on its data."""
        if len(self._written) == 1:
            self._written.append(self._events())
        self._system.start(self._victim)

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """What the lost shard refused, and what the others did meanwhile."""
        refused = int(loadgen.get("acknowledged", {}).get("indeterminate", 0))
        written = self._written[-1] - self._written[0] if len(self._written) > 1 else 0
        reads = len(self._meanwhile)
        return Evidence(
            hit=self._was_away and refused > 0 and written > 0 and reads > 0 and not self._unanswered,
            what=f"{self._victim.name}, one shard of {len(self._system.shards)}, was shut down at once; {refused}"
            f" write(s) were not acknowledged; meanwhile the others took {written} event(s), and {reads} reads of"
            f" theirs took {_p99_ms(self._meanwhile)} ms at the 99th percentile (before: {_p99_ms(self._before)} ms),"
            f" {self._unanswered} without an answer",
        )

    def _reads(self, most: int, within_s: float) -> Iterator[float]:
        """How long each took that was answered; the others are counted."""
        ends = time.monotonic() + within_s
        for _ in range(most):
            took = self._read()
            if took is None:
                self._unanswered += 1
            else:
                yield took
            if time.monotonic() > ends:
                return

    def _read(self) -> float | None:
        """How long one todo took, in seconds; None where it was not answered. One that was deleted is answered, too."""
        began = time.monotonic()
        try:
            with http_client.direct(f"{self._system.base_url}/todos/{next(self._todos)}") as answer:
                answer.read()
        except HTTPError as error:
            if error.code != 404:
                return None
        except http_client.UNREADABLE:
            return None
        return time.monotonic() - began

    def _events(self) -> int:
        """How many events the other shards have by now."""
        total = 0
        for logins in self._system.shards[:-1]:
            try:
                with OpenConnection(logins.oracle) as database:
                    total += int(database.value(WRITTEN))
            except ERRORS:
                return 0
        return total


def _p99_ms(took: list[float]) -> str:
    """The 99th percentile in milliseconds."""
    return f"{sorted(took)[max(-(-99 * len(took) // 100), 1) - 1] * 1000:.1f}" if took else "–"
