"""The stages of one write, from its acknowledgement to the read that showed it. Pure; seconds since the epoch.

Postgres tells no moment of a commit, so the way begins where its writer knows of it, as visibility does; of a stage
that had begun by then, the rest counts. Each later moment is one that somebody saw:

* **noticed**: the first call of the projector after the event's insert, before the step that projected it; the start
  of that step where nobody called (its poll, or a step for other events, came upon it);
* **claimed**: the answer of the claim; the start of the step where a strategy claims nothing, or claims and projects
  in one statement;
* **committed**: the answer of the batch;
* **read**: the answer of the first read that shows the write.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from metrics.catalogue import STAGES
from metrics.raw.moments import Row

FIRST_CALL: Final = 0
LAST_CALL: Final = 1
BEGUN: Final = 2
CLAIMED: Final = 3
COMMITTED: Final = 4
HEARD_LATE: Final = "a read showed it before its projector heard of the commit"
"""Of the right batch, too, where the projector's process was put off in between: of few writes."""


@dataclass(frozen=True, slots=True)
class Write:
    """A write as the probe saw it, by its machine's clock; `visibility_s` by a steady clock of its own.

    `unseen_at`: when the last read that did not show it was sent; None: there was none.
    """

    acknowledged_at: float
    answered_at: float
    visibility_s: float
    unseen_at: float | None


@dataclass(frozen=True, slots=True)
class Effect:
    """When its event was inserted and its effect written, by the same clock, within the error of the offset."""

    recorded_at: float
    projected_at: float


@dataclass(frozen=True, slots=True)
class Batch:
    """The moments of the projector's batch that projected it."""

    noticed: float
    claimed: float
    committed: float


class Batches:
    """The batches of one projector, `rows` by time, to be asked for that of one effect after another."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._ends = [moment(row, COMMITTED) for row in rows]

    def find(self, effect: Effect, within_s: float) -> Batch | None:
        """The batch in which the effect was written, found by bisection. None where none can be it."""
        place = bisect_left(self._ends, effect.projected_at)
        if place == len(self._rows):
            return None
        row = self._rows[place]
        begun = moment(row, BEGUN)
        if effect.projected_at < begun - within_s:
            return None
        calls = (row[FIRST_CALL], row[LAST_CALL])
        noticed = next((call for call in calls if call is not None and call >= effect.recorded_at), begun)
        claimed = row[CLAIMED]
        return Batch(noticed, begun if claimed is None else claimed, self._ends[place])


def stages_s(write: Write, batch: Batch) -> dict[str, float]:
    """Each stage's seconds between acknowledgement and read; none is negative, and they add up to that whole."""
    moments = (write.acknowledged_at, batch.noticed, batch.claimed, batch.committed)
    end = max(write.answered_at, write.acknowledged_at)
    whole = (*(min(moment, end) for moment in accumulate(moments, max)), end)
    return {name: end - begin for name, (begin, end) in zip(STAGES, pairwise(whole), strict=True)}


def disagreement(write: Write, effect: Effect, batch: Batch, within_s: float) -> str:
    """What two clocks tell of one write that can not both be; empty where all agree within the resolution."""
    if effect.recorded_at > write.acknowledged_at + within_s:
        return "it was inserted after it was acknowledged"
    if effect.projected_at > write.answered_at + within_s:
        return "a read showed it before its effect was written"
    if write.unseen_at is not None and write.unseen_at > batch.committed + within_s:
        return "a read that was sent after the commit of its effect did not show it"
    if told := _out_of_order(write, effect, batch, within_s):
        return told
    apart = sum(stages_s(write, batch).values()) - write.visibility_s
    if abs(apart) > within_s:
        return f"its stages miss its visibility by {apart * 1000:.3f} ms"
    return ""


def _out_of_order(write: Write, effect: Effect, batch: Batch, within_s: float) -> str:
    """The same moments as they were read, before any is cut to its neighbours: those of another batch break the order.

    The stages add up whatever batch they are made of, so that they do says nothing of it.
    """
    for before, after, told in (
        (batch.noticed, batch.claimed, "its batch was claimed before it was noticed"),
        (batch.claimed, effect.projected_at, "its effect was written before its batch was claimed"),
        (batch.claimed, batch.committed, "its batch was committed before it was claimed"),
        (effect.projected_at, batch.committed, "its effect was written after the commit of its batch"),
        (batch.committed, write.answered_at, HEARD_LATE),
    ):
        if before > after + within_s:
            return told
    return ""


def moment(row: Row, place: int) -> float:
    """A moment of a batch that every batch has."""
    found = row[place]
    return 0.0 if found is None else found
