"""Read model: what one hands in so that a batch keeps it, as SQL fragments over sets of events.

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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Table

from eventstore.soundness.rights import Rights


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
class ReadModel:
    """One read model: its name, its tables, who may do what with them, and its part in each batch and command.

    * `refusal`: why event `e` can not be applied, or NULL.
    * `fold`: aggregates of one stream's events in the batch; they come without order.
    * `newest`: what the last of these events, `e`, tells.
    * `effect`: WITH queries over `clean`.
    * `applied`: the one of them that has a row for each stream whose row moved. A batch in which it has fewer rows than
      `clean` is undone, for the reason `unapplied`. Without it, checkpoint and guard alone keep events from taking
      effect twice.
    * `skipped`: WITH queries over `skipped` (`stream`, `projected`): that version is passed over without an effect.
    """

    name: str
    tables: Sequence[Table]
    read: Rights
    project: Rights
    effect: str
    undo: Undo
    refusal: str = ""
    fold: str = ""
    newest: str = ""
    invariant: Invariant | None = None
    applied: str = ""
    unapplied: str = ""
    skipped: str = ""
    tallies: Sequence[Tally] = ()


ReadModels = Sequence[ReadModel]
