"""One projection transaction, as one statement: fence, guard, effect, audit rows, counters, checkpoint.

What holds for every strategy, because it is one statement and so one transaction:

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

Whoever moves a stream's checkpoint also ends its lease and its block, in every strategy: nobody can go on from an
older state of the stream, and a change of strategy leaves nothing behind.
"""

from __future__ import annotations

from sqlalchemy import text

from eventstore.connection.database import Statement
from projection.statement.checkpoint import CHECKPOINT, COUNTED, JUDGED, OUTCOME, TROUBLED
from projection.statement.parts import Parts
from projection.statement.shapes import Shape
from projection.statement.window import BUSY


def compose(shape: Shape, parts: Parts) -> Statement:
    """The statement of this shape, with the conditions and read models of `parts`."""
    pieces = [
        shape.window.format(
            fence=parts.fence,
            beyond=parts.beyond,
            fresh=parts.fresh,
            unseen=parts.unseen,
            aggregates=parts.aggregates,
            busy=BUSY,
        ),
        JUDGED.format(guard=parts.guard, consistent=parts.consistent, newest=parts.newest, scope=shape.scope),
        shape.reach.format(busy=BUSY),
        *([parts.effect] if parts.effect else []),
        CHECKPOINT.format(epoch=shape.epoch, former=shape.former),
        *([_account(parts, shape.walked)] if shape.troubled else []),
        COUNTED.format(counted=shape.counted, counted_if=shape.counted_if),
    ]
    account = "(SELECT json_agg(troubled) FROM troubled)" if shape.troubled else "NULL::json"
    end = OUTCOME.format(troubled=account, unapplied=parts.unapplied, told=shape.told)
    return Statement(text("WITH" + ",".join(pieces) + shape.last + end))


def _account(parts: Parts, walked: str) -> str:
    return TROUBLED.format(
        guard=parts.guard,
        refusal=parts.refusal,
        walked=walked,
        broken_at=parts.broken_at,
        broken_why=parts.broken_why,
    )
