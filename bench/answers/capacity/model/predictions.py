"""Predictions of the capacity model for what was measured: slots of projectors as servers of a queue, and errors."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Final

from bench.answers.capacity.model.formulas import alone_us, seconds
from bench.answers.capacity.model.inputs import Curve, Figures, Plan
from bench.perf.contests.projectors import EACH, IN_FLIGHT, LATENCY_MS

LATE: Final = 0.01
"""The share of events that may be later than a bound on the 99th percentile."""
HALVINGS: Final = 60


def slots_per_s(slots: int, handler_ms: float, held_ms: float, events: int = 1) -> float:
    """Events/s of slots that are never idle: each holds a stream for its events' handlers, then for their effect."""
    return slots * events / seconds(events * handler_ms + held_ms)


def held_by(figures: Figures, curve: Curve, projectors: int) -> float:
    """Requests/s at which the 99th percentile of write to visible is the bound: Erlang's C formula over all slots.

    An event waits for a free slot, and is held for its handler and its effect. Times of service hardly vary, so the
    formula's exponential ones make the wait too long, if anything.
    """
    slots = projectors * curve.in_flight
    service = seconds(curve.handler_ms + figures.held_ms)
    wait = seconds(curve.bound_ms) - service
    low, high = 0.0, slots / service
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        late = waits(slots, middle * service) * exp(-(slots / service - middle) * wait)
        low, high = (middle, high) if late <= LATE else (low, middle)
    return low / curve.writes


def waits(slots: int, load: float) -> float:
    """Erlang's C: the share of arrivals that find all slots taken, with a load of so many slots, below their number."""
    blocked = 1.0
    for n in range(1, slots + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked / (1 - load / slots * (1 - blocked))


@dataclass(frozen=True)
class Compared:
    """A prediction beside what was measured, from the lowest to the highest."""

    what: str
    unit: str
    predicted: float
    measured: tuple[float, float]

    @property
    def error(self) -> float:
        """By how much it errs, as a share of the middle of what was measured."""
        return self.predicted / (sum(self.measured) / 2) - 1


def compared(figures: Figures, curve: Curve, plan: Plan) -> list[Compared]:
    """The model held against each measurement that it can be held against."""
    of_curve = [
        Compared(
            f"`bench:capacity`, {projectors} projector{'s' if projectors > 1 else ''}",
            "requests/s",
            held_by(figures, curve, projectors),
            measured,
        )
        for projectors, measured in curve.held.items()
    ]
    rows = {1: figures.one_projector_per_s, 4: figures.four_projectors_per_s}
    of_rows = [
        Compared(
            f"row `projectors`, {projectors} of them working a backlog off",
            "events/s",
            slots_per_s(projectors * IN_FLIGHT, LATENCY_MS, figures.held_ms, events=EACH),
            (measured, measured),
        )
        for projectors, measured in rows.items()
    ]
    whole = Compared(
        "row `whole`, saturated, by the costs at 1,000 events/s",
        "events/s",
        plan.cores_measured * 1e6 / alone_us(figures),
        (figures.whole_per_s, figures.whole_per_s),
    )
    return [*of_curve, *of_rows, whole]
