"""One projection transaction, as one statement: fence, guard, effect, audit rows, counters, checkpoint.

What holds for both modes, because it is one statement and so one transaction:

* **fence**: rows are read under lock and only for the lease's holder and epoch, before its end by the database's
  clock. Somebody who lost the lease writes nothing. There is no moment in which a stopped process can hold locks.
* **guard**: a stream's events apply only as version = checkpoint + 1, + 2 … without a hole. Lower ones are
  duplicates: counted, not applied.
* **effect, audit, counters, checkpoint** commit together or not at all: each event takes effect exactly once.

A stream whose events can not be applied (a refused event, or a hole) is *troubled*: nothing of it is applied. In
parallel mode the other streams go on. In serial mode nothing is applied at all, since the order is global. Either way
the worker then asks for the part before the trouble. A row that is not where its stream's checkpoint says undoes the
whole statement with an error, and the worker looks for it by halves.

Nothing is waited for: a stream whose row somebody else has locked (an append under way, or one that got stuck) is left
for later, and is no failure.

Whoever moves a stream's checkpoint also ends its lease and its block, in both modes: nobody can go on from an older
state of the stream, and a change of mode leaves nothing behind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg
import msgspec
from sqlalchemy import text

from eventstore.connection.database import Statement
from projection.statement.checkpoint import (
    CHECKPOINT,
    COUNTED,
    DRAIN_COUNTED,
    DRAIN_REACH,
    DUE,
    JUDGED,
    OUTCOME,
    PARALLEL_REACH,
    SERIAL_CHECKPOINT,
    SERIAL_COUNTED,
    SERIAL_REACH,
    SERIAL_SCOPE,
    SERIAL_WALKED,
    TROUBLED,
)
from projection.statement.window import AGGREGATES, BUSY, DRAIN_WINDOW, PARALLEL_WINDOW, SERIAL_WINDOW
from todo.read_model import CONSISTENT, EFFECT, FOLD, NEWEST, REFUSAL


@dataclass(frozen=True)
class Parts:
    """The conditions that the statement is made of, each with a name, so that a test can plant a bug in one."""

    fence: str
    beyond: str = "position > place.position"
    fresh: str = "fenced.first > fenced.projected"
    unseen: str = "e.version > coalesce(fenced.projected, 0)"
    guard: str = "first = projected + 1 AND last - first + 1 = events"
    refusal: str = REFUSAL
    consistent: str = CONSISTENT
    fold: str = FOLD
    newest: str = NEWEST
    effect: str = EFFECT

    def planted(self, **parts: str) -> Parts:
        """The same parts, but for those named."""
        return replace(self, **parts)


PARALLEL: Final = Parts(fence="s.holder = :holder AND s.epoch = given.epoch AND s.leased_until > clock_timestamp()")
DRAIN: Final = Parts(
    fence="""s.pending_since IS NOT NULL AND s.blocked_at IS NULL
     AND (s.leased_until IS NULL OR s.leased_until <= clock_timestamp())
     AND (s.retry_at IS NULL OR s.retry_at <= clock_timestamp())"""
)
SERIAL: Final = Parts(fence="c.holder = :holder AND c.epoch = :epoch AND c.leased_until > clock_timestamp()")


def parallel(parts: Parts = PARALLEL) -> Statement:
    """The statement for leased streams: `streams`, `epochs`, `uptos` (arrays), `holder`, `slot`, `others`.

    Applies each stream's events up to version `upto` and ends its lease; a troubled stream keeps its lease. `others`
    is how many leases the holder has in hand beside these.
    """
    return _compose(
        parts,
        PARALLEL_WINDOW,
        PARALLEL_REACH,
        scope="true",
        counted="leases_held = coalesce(:others ::int, 0) + (SELECT count(*) FROM troubled)",
        last="",
    )


def drain(parts: Parts = DRAIN) -> Statement:
    """The statement that claims and projects at once: `limit`, `events`, `holder`, `slot`, `others`.

    For a handler that costs nothing. Takes up to `limit` pending streams that nobody holds, oldest backlog first, and
    applies up to `events` events of each. The lock on a stream's row is the lease: it begins and ends with the
    transaction, in an epoch of its own. A stream that is not sound is left as it was, for somebody with a lease, who
    finds out why: then `streams` is less than `leases`. Where there is nothing to take, nothing is written, and `due`
    says when there may be.
    """
    return _compose(
        parts,
        DRAIN_WINDOW,
        DRAIN_REACH,
        scope="true",
        counted=DRAIN_COUNTED,
        counted_if=" AND reach.leases > 0",
        troubled=False,
        epoch=" epoch = clean.epoch,",
        former="clean.former",
        last="",
        told=f",\n       CASE WHEN reach.leases = 0 THEN {DUE} END AS due",
    )


def serial(parts: Parts = SERIAL) -> Statement:
    """The statement for the leased cursor: `name`, `epoch`, `upto` (a safe position), `limit`, `holder`, `slot`, `ttl`.

    Walks at most `limit` events after the cursor; moves the cursor past all of them, or not at all, and prolongs
    the lease.
    """
    return _compose(
        parts,
        SERIAL_WINDOW,
        SERIAL_REACH,
        scope=SERIAL_SCOPE,
        walked=SERIAL_WALKED,
        counted=SERIAL_COUNTED,
        last=SERIAL_CHECKPOINT,
    )


def _compose(
    parts: Parts,
    window: str,
    reach: str,
    *,
    scope: str,
    counted: str,
    last: str,
    counted_if: str = "",
    troubled: bool = True,
    epoch: str = "",
    former: str = "NULL",
    walked: str = "",
    told: str = "",
) -> Statement:
    pieces = [
        window.format(
            fence=parts.fence,
            beyond=parts.beyond,
            fresh=parts.fresh,
            unseen=parts.unseen,
            aggregates=AGGREGATES.format(refusal=parts.refusal, fold=parts.fold),
            busy=BUSY,
        ),
        JUDGED.format(guard=parts.guard, consistent=parts.consistent, newest=parts.newest, scope=scope),
        reach.format(busy=BUSY),
        parts.effect,
        CHECKPOINT.format(epoch=epoch, former=former),
        *([TROUBLED.format(guard=parts.guard, refusal=parts.refusal, walked=walked)] if troubled else []),
        COUNTED.format(counted=counted, counted_if=counted_if),
    ]
    account = "(SELECT json_agg(troubled) FROM troubled)" if troubled else "NULL::json"
    return Statement(text("WITH" + ",".join(pieces) + last + OUTCOME.format(troubled=account, told=told)))


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
