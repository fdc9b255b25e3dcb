"""Engine table: each kind of server, or way to one, by the facts that tell it, and how strategies stand there.

`docs/operation/engines.md` is written from it (`task docs`), and each row that was tried here is tried by a test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from metrics.records.doctor import Fact
from settings import strategies
from settings.catalogue.projection import Strategy

Stand = Literal["tested here", "tested once", "by documentation", "refused"]

ENGINE: Final = "engine"
LOCKS: Final = "advisory locks in pg_locks"
LISTENING: Final = "LISTEN/NOTIFY"


@dataclass(frozen=True, slots=True)
class Engine:
    """One row. `marks`: of each of these facts, what its value begins with, as a regular expression.

    `serial` is for strategies that rest on the global order, `parallel` for all others.
    """

    name: str
    marks: Mapping[str, str]
    serial: Stand
    parallel: Stand
    why: str

    def is_told_by(self, facts: Iterable[Fact]) -> bool:
        """Whether each of its marks is among the facts."""
        told = list(facts)
        return all(
            any(one.name == name and re.match(value, one.value) for one in told) for name, value in self.marks.items()
        )

    def stand(self, strategy: Strategy) -> Stand:
        """How the strategy stands there."""
        return self.serial if strategies.is_serial(strategy) else self.parallel


def named(facts: Iterable[Fact]) -> list[str]:
    """The rows that the facts tell, in the order of the table."""
    told = list(facts)
    return [one.name for one in ENGINES if one.is_told_by(told)]


def row(name: str) -> Engine:
    """A row by its name."""
    return next(one for one in ENGINES if one.name == name)


def rows() -> Iterator[str]:
    """The table in Markdown, a column for each strategy that comes with us."""
    offered = strategies.offered()
    yield " | ".join(["| server, or way to it", *(f"`{one}`" for one in offered), "told by", "reason |"])
    yield "|---" * (len(offered) + 3) + "|"
    for one in ENGINES:
        stands = [one.stand(strategy) for strategy in offered]
        told = "; ".join(f"{name}: `{value}`" for name, value in one.marks.items())
        yield " | ".join([f"| {one.name}", *stands, told, f"{one.why} |"])


_OTHER: Final = "nothing was run on it"

ENGINES: Final = (
    Engine(
        "PostgreSQL 18",
        {ENGINE: "PostgreSQL$", "version": r"18\b"},
        "tested here",
        "tested here",
        "the server that the wheel brings: every test, drill and figure is of it",
    ),
    Engine(
        "PostgreSQL 15",
        {ENGINE: "PostgreSQL$", "version": r"15\b"},
        "tested once",
        "tested once",
        "Debian's 15.18, November 2026: a whole run in each strategy, oracles clean",
    ),
    Engine(
        "PostgreSQL 16, 17",
        {ENGINE: "PostgreSQL$", "version": r"1[67]\b"},
        "by documentation",
        "by documentation",
        "between two that were run, and their release notes change nothing that is used",
    ),
    Engine(
        "hot standby",
        {"server": "standby"},
        "refused",
        "refused",
        "nobody can write there, and it takes neither LISTEN nor NOTIFY: connect to the primary",
    ),
    Engine(
        "read-only sessions",
        {"server": "primary, read-only"},
        "refused",
        "refused",
        "`default_transaction_read_only` is on, for the server, the database or the role",
    ),
    Engine(
        "PgBouncer, session mode",
        {"pooler": "session mode"},
        "tested here",
        "tested here",
        "a client has its connection for as long as it stays, so LISTEN and settings last",
    ),
    Engine(
        "PgBouncer, transaction mode, `LISTEN_URL` beside it",
        {"pooler": "transaction mode", LISTENING: "heard"},
        "tested here",
        "tested here",
        "statements stay unprepared, the planner's settings are the roles', projectors listen past the pooler",
    ),
    Engine(
        "PgBouncer, transaction mode alone",
        {"pooler": "transaction mode", LISTENING: "not heard"},
        "refused",
        "refused",
        "LISTEN succeeds and hears nothing, so a projector does not start without `LISTEN_URL`",
    ),
    Engine(
        "`pg_locks` without the announcements of others",
        {LOCKS: "hidden"},
        "refused",
        "tested here",
        "readers of the global order can not tell which positions are still to come; a stream's own order needs no"
        " lock. The API refuses writes, for `GET /events` reads the global order",
    ),
    Engine(
        "a sequence of positions with a cache",
        {"sequence": r".* has CACHE"},
        "refused",
        "tested here",
        "sessions give out positions that others have passed; versions within a stream do not come from it. The API"
        " refuses writes, for `GET /events` reads the global order",
    ),
    Engine(
        "Citus",
        {ENGINE: "Citus"},
        "refused",
        "refused",
        "tried once, 13.2: a store on one node needs four edits that are not made (ADR 0061), and its watermark is"
        " unsound without a word; rows spread by stream: 25 of 30 statements are refused",
    ),
    Engine(
        "YugabyteDB",
        {ENGINE: "YugabyteDB"},
        "refused",
        "refused",
        f"by its documentation: each session caches values of a sequence (100 unless told otherwise); {_OTHER}",
    ),
    Engine(
        "CockroachDB",
        {ENGINE: "CockroachDB"},
        "refused",
        "refused",
        f"by its documentation: advisory locks lock nothing, and there is no LISTEN; {_OTHER}",
    ),
    Engine(
        "Aurora DSQL",
        {ENGINE: "Aurora DSQL"},
        "refused",
        "refused",
        f"by its documentation: no triggers and no PL/pgSQL, so the schema can not be made; {_OTHER}",
    ),
    Engine(
        "any other engine",
        {ENGINE: "unknown"},
        "refused",
        "refused",
        "its `version()` is not that of a Postgres server, so what it promises is not known",
    ),
)
"""The first that fits is what a server is; of a way to it, and of what is wrong there, all that fit are named."""
