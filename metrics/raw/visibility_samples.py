"""`staleness.jsonl`: the writes of the visibility probe that a read has shown, one a line, the newest ones.

Milliseconds are since the acknowledgement, by a steady clock; `_at` are seconds since the epoch, by the machine's.
"""

from __future__ import annotations

from typing import Final, TypedDict

from metrics.records.samples import Moment

FILE: Final = "staleness.jsonl"
KEPT: Final = 10_000
"""Lines; of a run with more only its end is told."""


class Sample(TypedDict):
    """One write.

    `unseen_ms`: when the last read that did not show it was sent; None: there was none. `sent_ms`, `answered_ms`: the
    first read that did. `next_read`: whether the next read of its writer showed it. `counted`: it is one of the load
    phase, and was seen before a hold.
    """

    stream: str
    version: int
    acknowledged_at: Moment
    answered_at: Moment
    unseen_ms: float | None
    sent_ms: float
    answered_ms: float
    next_read: bool | None
    counted: bool
