"""A full file system under tables and indexes (SQLSTATE 53100): every write that needs a page is refused, reads go on.

It is a tmpfs of the server's own. The server's log of changes lies elsewhere, for a full one ends the server, which is
`restart-postgres`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from bench.ends.errors import RunFailed, SetupError
from bench.oracle.connection import ERRORS, OpenConnection
from bench.platforms.platform import Disk, System
from bench.trial.fault import Evidence, NotApplicable, Stats
from bench.trial.foreign.refusals import refusals, unacknowledged
from bench.trial.foreign.session import require_dba, session
from bench.trial.foreign.span import Span
from bench.trial.foreign.standstill import LASTS_S as STANDS_S
from settings.catalogue.projection import Strategy

LASTS_S: Final = 3.0
LONGEST_S: Final = 12.0
"""So long it lasts where writes still find room in pages that the tables have: few writes need a new one only then."""
MOVED_S: Final = 30.0
"""Tables are moved before the load, when nobody has them for long."""
PLACE: Final = "tidemark_fault"
MOVES: Final = f"""
SELECT format('ALTER %s %s SET TABLESPACE {PLACE}', CASE relkind WHEN 'r' THEN 'TABLE' ELSE 'INDEX' END, oid::regclass)
       AS move
  FROM pg_class
 WHERE relkind IN ('r', 'i') AND relpersistence = 'p'
   AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
"""
"""One by one, so that nobody waits in a circle with somebody who has two of them."""
WRITE: Final = f"""
BEGIN;
CREATE TABLE {PLACE} (number int) TABLESPACE {PLACE};
INSERT INTO {PLACE} SELECT generate_series(1, 100000);
ROLLBACK
"""
"""More than the room that is left; nothing of it stays."""


class Fault:
    """Hit: the server refused a write of a foreign session as the disk was full, the log stood still, and writes were
    answered with a refusal or not at all.
    """

    sharded = "last"

    def __init__(self) -> None:
        self._system: System
        self._disk: Disk
        self.span = Span(LASTS_S)
        self.refused = False
        self.lasted_s = 0.0

    def defaults(self, strategy: Strategy) -> Mapping[str, str]:
        """The load generator waits for an API that looks for its store again, and writes for as long as it may last."""
        return {"SILENCE_MAX": "60s", "DURATION": "20s"}

    def set_up(self, system: System) -> None:
        """Needs the power over the server's disk. All tables are moved to a small one, which goes with the server."""
        system.require("postgres", Disk)
        require_dba(system, superuser=True)
        self._system = system
        (server, *_) = system.parts("postgres")
        self._disk = system.disk(server)
        try:
            place = self._disk.small_disk()
        except SetupError as lack:
            raise NotApplicable(lack.name, lack.problem, "run the bench as root") from None
        try:
            with session(system, within_s=MOVED_S) as dba:
                _move(dba, str(place))
        except ERRORS as error:
            raise RunFailed(f"the tables could not be moved to a small file system: {error}") from error

    def invoke(self, stats: Stats) -> bool:
        """Leave it no room."""
        with self.span.begin(self._system):
            self.span.opened.callback(self._disk.empty_disk)
            self._disk.fill_disk()
        return True

    def watch(self, stats: Stats | None) -> bool:
        """It heals when it has lasted for its time and the log stood still, or for long; a write of a foreign session
        shows that it is full.
        """
        if not self.span.lasting:
            return False
        if not self.refused:
            self.span.use(self._write)
        self.lasted_s = self.span.elapsed_s
        return self.span.note(stats) and (self.span.standstill.log_s >= STANDS_S or self.lasted_s >= LONGEST_S)

    def _write(self, dba: OpenConnection) -> None:
        try:
            dba.execute(WRITE)
        except asyncpg.DiskFullError:
            self.refused = True
            dba.execute("ROLLBACK")

    def heal(self) -> None:
        """Give it its room again."""
        self.span.end()

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        """How long no event was written, and how many writes were not acknowledged."""
        stood_s = self.span.standstill.log_s
        seen = "the server said so (53100)" if self.refused else "the server never said so"
        return Evidence(
            hit=self.refused and stood_s >= STANDS_S and unacknowledged(loadgen) > 0,
            what=f"the file system of the tables was full for {self.lasted_s:.1f} s, {seen}: no event was written for "
            f"{stood_s:.1f} s, {refusals(loadgen)}",
        )


def _move(dba: OpenConnection, place: str) -> None:
    dba.execute(dba.value("SELECT format('CREATE TABLESPACE %I LOCATION %L', $1::text, $2::text)", PLACE, place))
    for row in dba.rows(MOVES):
        dba.execute(row["move"])
