"""Shapes of a batch, one a strategy: the rows that it locks and fences, and what it does with its lease."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from projection.leases import claimable
from projection.leases.claimable import CLOCK, DUE_IN_S
from projection.statement.checkpoint import (
    LEASES_REACH,
    LOCKS_COUNTED,
    LOCKS_REACH,
    ORDER_CHECKPOINT,
    ORDER_COUNTED,
    ORDER_REACH,
    ORDER_SCOPE,
    ORDER_WALKED,
)
from projection.statement.parts import Parts
from projection.statement.window import (
    LEASES_HELD,
    LEASES_WINDOW,
    LOCKS_HELD,
    LOCKS_WINDOW,
    ORDER_HELD,
    ORDER_WINDOW,
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """SQL around the effect, as `projection.statement.batch` puts it together.

    `window` ends in relation `folded`; `held` locks the same rows for a handler of single events, with the events in it
    where the shape is `ordered`. `reach` tells leases and events looked at; `scope` is a condition on what of the
    clean streams is applied, `counted` what the projector's row counts (`counted_if`: whether it does). `troubled`: it
    says what could not be applied, looking at no events but those of condition `walked`. `last` are queries at the
    end, `told` further columns.
    """

    parts: Parts
    window: str
    held: str
    reach: str
    counted: str
    scope: str = "true"
    counted_if: str = ""
    troubled: bool = True
    epoch: str = ""
    former: str = "NULL"
    walked: str = ""
    last: str = ""
    told: str = ""
    ordered: bool = False


STREAM_LEASES: Final = Shape(
    parts=Parts(fence="s.holder = :holder AND s.epoch = given.epoch AND s.leased_until > clock_timestamp()"),
    window=LEASES_WINDOW,
    held=LEASES_HELD,
    reach=LEASES_REACH,
    counted="leases_held = coalesce(:others ::int, 0) + (SELECT count(*) FROM troubled)",
)
"""For leased streams: `streams`, `epochs`, `uptos` (arrays), `holder`, `slot`, `others`.

Applies each stream's events up to version `upto` and ends its lease; a troubled stream keeps its lease. `others` is how
many leases the holder has in hand beside these.
"""

STREAM_LOCKS: Final = Shape(
    parts=Parts(fence=claimable.stream(CLOCK)),
    window=LOCKS_WINDOW,
    held=LOCKS_HELD,
    reach=LOCKS_REACH,
    counted=LOCKS_COUNTED,
    counted_if=" AND reach.leases > 0",
    troubled=False,
    epoch=" epoch = clean.epoch,",
    former="clean.former",
    told=f",\n       CASE WHEN reach.leases = 0 THEN {DUE_IN_S} END AS due",
)
"""Claims and projects at once: `limit`, `events`, `holder`, `slot`, `others`.

For a handler that costs nothing. Takes up to `limit` pending streams that nobody holds, oldest backlog first, and
applies up to `events` events of each. The lock on a stream's row is the lease: it begins and ends with the transaction,
in an epoch of its own. A stream that is not sound is left as it was, for somebody with a lease, who finds out why: then
`streams` is less than `leases`. Where there is nothing to take, nothing is written, and `due` says when there may be.
"""

GLOBAL_ORDER: Final = Shape(
    parts=Parts(fence="c.holder = :holder AND c.epoch = :epoch AND c.leased_until > clock_timestamp()"),
    window=ORDER_WINDOW,
    held=ORDER_HELD,
    ordered=True,
    reach=ORDER_REACH,
    scope=ORDER_SCOPE,
    walked=ORDER_WALKED,
    counted=ORDER_COUNTED,
    last=ORDER_CHECKPOINT,
)
"""For the leased cursor: `name`, `epoch`, `upto` (a safe position), `limit`, `holder`, `slot`, `ttl`.

Walks at most `limit` events after the cursor; moves the cursor past all of them, or not at all, and prolongs the lease.
"""
