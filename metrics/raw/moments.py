"""`<holder>.moments.json`: when a projector was called, looked, claimed and had committed, batch by batch."""

from __future__ import annotations

from typing import Annotated, Final, NotRequired, TypedDict

from msgspec import Meta

SUFFIX: Final = ".moments.json"

KEPT: Final = 30_000
"""Batches: 150 s of a projector with one each 5 ms, in some 5 MB."""

Row = Annotated[list[float | None], Meta(min_length=5, max_length=5)]
"""One batch, in seconds since the epoch by the clock of the projector's machine.

First and last call since the step before (a notification, or the projector itself; None: nobody called, it looked by
itself), the start of the step, the answer of its last claim (None: nothing was claimed in it), the answer of the batch.
"""


class Moments(TypedDict):
    """The document; `rows` are the newest batches, oldest first. `shard`: of several, the one that they are of."""

    projector: str
    rows: list[Row]
    shard: NotRequired[int]
