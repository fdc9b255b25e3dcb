"""What was due in the load phase counts in its latency, whether it was served in it, after it, or never."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import pytest

from bench import ROOT
from services.loadgen.distributed.journal import Journal, JournalledRecorder, replay
from services.loadgen.judge.ledger import Counts
from services.loadgen.settings import Settings
from services.loadgen.workload import dispatcher
from services.loadgen.workload.http.session import Answer
from services.loadgen.workload.run import Arrival, Run

STALL_S = 5.0
WAITING = 37


class Session:
    """Answers every create."""

    def request(self, *_: Any) -> Answer:
        return Answer(201, 0.001, b'{"stream": "t", "version": 1}')


def stalled() -> Run:
    """An open loop at the end of its load phase, in which requests wait since a stall began, one of the warm-up too."""
    run = Run(replace(Settings(), rate=119.0, hold_s=5.0, think_time_ms=0.0), Counts())
    warmup = next(phase for phase in run.phases if phase.name == "warmup")
    go_on_to(run, "load")
    assert run.arrivals is not None
    since = time.perf_counter() - STALL_S
    run.arrivals.put(Arrival(since, True, warmup))
    for number in range(WAITING):
        run.arrivals.put(Arrival(since, number % 2 == 0, run.phase))
    run.scheduled = WAITING
    return run


def go_on_to(run: Run, name: str) -> None:
    step = next(step for step, phase in enumerate(run.phases) if phase.name == name)
    run.enter(run.phases[step], step)


def counted(run: Run) -> int:
    return sum(histogram.get_total_count() for histogram in run.recorder.histograms.values())


def shortest_ms(run: Run) -> float:
    return min(float(histogram.get_min_value()) / 1000 for histogram in run.recorder.histograms.values())


SERVED = """
import locust.env, time
from types import SimpleNamespace
from services.loadgen.workload.calls import TodoCalls
from services.loadgen.workload.run import Arrival
from services.loadgen.workload.users import TodoUser
from tests.unit.loadgen.test_due import STALL_S, WAITING, Session, counted, go_on_to, shortest_ms, stalled

run = stalled()
go_on_to(run, "hold")

class Served(TodoUser):
    runs = SimpleNamespace(run=run)
    host = "http://127.0.0.1:1"

user = Served(locust.env.Environment())
user.on_start()
user.calls = TodoCalls(Session(), run, "user 0")
while run.arrivals.qsize():
    user.turn()
run.arrivals.put(Arrival(time.perf_counter(), True, run.phase))
user.turn()
go_on_to(run, "convergence")
assert (counted(run), run.recorder.missed, run.started) == (WAITING, 0, 0), counted(run)
assert shortest_ms(run) >= STALL_S * 1000 * 0.99
assert run.missed_share == 1.0, "the rate was not kept in the load phase, and that stays said"
"""
"""In a process of its own: Locust patches whoever imports it."""


def test_what_waits_at_the_end_of_the_load_is_served_in_the_hold_and_counts_to_the_load() -> None:
    ended = subprocess.run([sys.executable, "-c", SERVED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("journalled", [False, True], ids=["one process", "a worker"])
def test_what_nobody_serves_any_more_counts_with_its_age_and_is_told(journalled: bool) -> None:
    run, master, journal = stalled(), Run(Settings(), Counts()), Journal()
    if journalled:
        run.recorder = JournalledRecorder(journal)
    go_on_to(run, "convergence")
    replay(master, journal.take())
    found = master if journalled else run
    assert (counted(found), found.recorder.missed, found.recorder.finished) == (WAITING, WAITING, 0)
    assert shortest_ms(found) >= STALL_S * 1000 * 0.99


def test_what_is_turned_away_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "WAITING_MOST", WAITING)
    run = stalled()
    enough = iter(range(2 * WAITING))

    class Ending(type(run.halted)):  # type: ignore[misc]
        def is_set(self) -> bool:
            return next(enough, None) is None

    run.halted = Ending()
    run.scheduled = 0
    dispatcher.dispatch(run)
    go_on_to(run, "convergence")
    assert run.scheduled == 2 * WAITING
    assert (counted(run), run.recorder.missed) == (3 * WAITING, 3 * WAITING)
