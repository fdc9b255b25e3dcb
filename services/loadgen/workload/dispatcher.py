"""Open-loop dispatcher: queues requests when they are due, however slow the users are that serve them."""

from __future__ import annotations

import time
from random import Random
from typing import Final

import gevent

from services.loadgen.workload.arrivals import due_times
from services.loadgen.workload.plan import LOADED
from services.loadgen.workload.run import Arrival, Run

WAITING_MOST: Final = 100_000
"""So many requests wait for a user at most: those beyond are missed and counted, and their memory is bounded."""
YIELD_EVERY: Final = 100


def dispatch(run: Run) -> None:
    """A greenlet's body: feed `run.arrivals` as long as users do as the scenario says, then end.

    One that is late gives way to the others all the same, or a rate beyond this process would stop the whole run.
    """
    rate = run.settings.rate
    assert rate is not None
    assert run.arrivals is not None
    random = Random(f"{run.settings.seed}/arrivals")
    began = time.perf_counter()
    for number, seconds in enumerate(due_times(rate, random)):
        due = began + seconds
        # Below a millisecond a timer is not worth its cost; a request sent so little early still counts from its due.
        if (early := due - time.perf_counter()) > 0.001:
            gevent.sleep(early)
        elif number % YIELD_EVERY == 0:
            gevent.sleep(0)
        phase = run.phase
        if phase.name not in LOADED or run.halted.is_set():
            return
        run.scheduled += phase.measured
        arrival = Arrival(due, random.random() < phase.writers, phase)
        if run.arrivals.qsize() < WAITING_MOST:
            run.arrivals.put(arrival)
        else:
            run.turn_away(arrival)
