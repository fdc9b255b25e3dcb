"""1, 2, 4, 8 and 16 projectors: how much each doubling brings, and the number from which on more hurt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from bench.perf.contests.projectors import IN_FLIGHT, STREAMS, worked_off_per_s
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target

COUNTS: Final = (2, 4, 8, 16)
LATENCY_MS: Final = 1
"""Little enough for the machine to be at its end before sixteen projectors are: there more of them hurt."""
BEST: Final = "fastest with"


def best(rates: Mapping[int, float]) -> Reading:
    """The highest rate, with the number of projectors that has it, beyond which more hurt; and all the others. Pure."""
    fastest = max(rates, key=lambda count: rates[count])
    figures = {f"{count} projectors": rate for count, rate in rates.items()}
    return Reading(rates[fastest], {**figures, BEST: float(fastest)})


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """A reading of ours is one of each number."""

    def ours() -> Reading:
        return best({count: worked_off_per_s(lab, count, LATENCY_MS) for count in COUNTS})

    yield Contest(ours, lambda: Reading(worked_off_per_s(lab, 1, LATENCY_MS)))


ROW: Final = Row(
    name="projectors_1_to_16",
    title=f"The fastest of 2 to 16 projectors against 1, {LATENCY_MS} ms of handler an event, {STREAMS:,} streams",
    unit="events/s",
    better="higher",
    ours=f"2, 4, 8 and 16 projectors, STREAMS_IN_FLIGHT={IN_FLIGHT} each; the fastest, beyond which more hurt",
    reference=f"1 projector, STREAMS_IN_FLIGHT={IN_FLIGHT}",
    targets=(Target("at least", 2, "reference"),),
    server="Postgres",
    client="the projectors",
    strategy="stream-leases",
    open=contest,
    trials=3,
    long=True,
)
