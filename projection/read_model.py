"""Read model: what one hands in so that a batch keeps it: SQL over sets of events, a function of one event, or both.

Effect, checkpoint, audit and counters of a batch are one transaction, whatever read models it keeps: each event takes
effect in all of them, or in none. All share one checkpoint for each stream, so one that is added later needs a reset.

What the fragments may read:

* `e`: an event (`position`, `stream`, `version`, `type`, `data`, `recorded_at`);
* `clean`: the streams that the batch applies (`stream`, `epoch`, `first`, `last`, `last_position`, `events`, and the
  columns of `fold` and `newest`). Exactly the versions `first` to `last` of each take effect now;
* `:slot`: the row of a tally that no other process writes.

Columns and WITH queries of a fragment are seen by those of other read models: their names begin with the model's, or
are its alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import asyncpg
from sqlalchemy import Table

from eventstore.soundness.rights import Rights


@dataclass(frozen=True, slots=True)
class Event:
    """One event that takes effect now. `slot` is the row of a tally that no other process writes."""

    position: int
    stream: str
    version: int
    type: str
    data: Any
    recorded_at: datetime
    slot: int

    @classmethod
    def of(cls, row: asyncpg.Record, slot: int) -> Self:
        """From a row of the log."""
        return cls(row["position"], row["stream"], row["version"], row["type"], row["data"], row["recorded_at"], slot)


class EventRefused(Exception):
    """The event can not be applied, for the reason that the message gives in words."""


Apply = Callable[[asyncpg.Connection, Event], Awaitable[None]]
"""Applies one event (`HANDLER=each`) in the transaction of its batch, which it neither commits nor rolls back.

Whatever it raises is the event's fault: it is tried again, and then its stream is blocked. What Postgres answers is
judged by `eventstore.sqlstates`, so a lock or a lost connection blames no event.
"""


@dataclass(frozen=True, kw_only=True)
class Invariant:
    """A condition on a stream's folded events: `holds`, or else event `broken_at` and all that follow can not apply.

    Both are expressions over the columns of `fold`; `reason` is kept of the failure, in words.
    """

    holds: str
    broken_at: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Undo:
    """Taking effects back, so that events may take effect again.

    `statements` are WITH queries that undo what took effect in the streams of `old` (`stream`, `projected`: up to that
    version; `:streams` are their names), with counters moved in slot `:slot`. `counted` names the one whose single
    row tells what was taken back. `strays` are conditions, by table, on rows that belong to no stream.
    """

    statements: str
    counted: str | None = None
    strays: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counters of a table, kept in rows by slot: exact, at a cost that does not grow. A recount mends them.

    `table` has a column `slot` and one for each of `counters`, which are aggregates over the rows of table `of`.
    """

    table: str
    of: str
    counters: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class EventTally:
    """Counters of the events that took effect, by a key, in rows by slot: exact, whatever was skipped or reset.

    `table` has columns `key`, `slot` (its primary key) and `counters`. `counted` is a query of the key and the counters
    over relation `spans` (`stream`, `first`, `last`: these versions took effect). By it a reset takes back what the
    audit says, and a recount mends.
    """

    table: str
    key: str
    counters: Sequence[str]
    counted: str


@dataclass(frozen=True, kw_only=True)
class ReadModel:
    """One read model: its name, its tables, who may do what with them, and its part in each batch and command.

    * `refusal`: why event `e` can not be applied, or NULL.
    * `fold`: aggregates of one stream's events in the batch; they come without order.
    * `newest`: what the last of these events, `e`, tells.
    * `effect`: WITH queries over `clean`. Without it, the read model can not be kept with `HANDLER=set`.
    * `apply`: the same for one event, in Python. Without it, not with `HANDLER=each`.
    * `applied`: the one of them that has a row for each stream whose row moved. A batch in which it has fewer rows than
      `clean` is undone, for the reason `unapplied`. Without it, checkpoint and guard alone keep events from taking
      effect twice.
    * `skipped`: WITH queries over `skipped` (`stream`, `projected`): that version is passed over without an effect.
    * `of_stream`: by table, the column that names the stream whose row it is. By it a rebuild holds the rows of some
      streams against the live ones; a table that is not there, and no tally, is compared whole.
    """

    name: str
    tables: Sequence[Table]
    read: Rights
    project: Rights
    effect: str = ""
    apply: Apply | None = None
    undo: Undo | None = None
    refusal: str = ""
    fold: str = ""
    newest: str = ""
    invariant: Invariant | None = None
    applied: str = ""
    unapplied: str = ""
    skipped: str = ""
    tallies: Sequence[Tally] = ()
    event_tallies: Sequence[EventTally] = ()
    of_stream: Mapping[str, str] = field(default_factory=dict)


ReadModels = Sequence[ReadModel]
