"""Processor time of the generator: the measured phases alone, all its processes, for each request."""

from __future__ import annotations

import time

from services.loadgen.judge.ledger import Counts
from services.loadgen.measure.processor_time import ProcessorTime
from services.loadgen.settings import Settings
from services.loadgen.workload.run import Run


def work(seconds: float) -> None:
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        pass


def test_only_the_measured_phases_count() -> None:
    run = Run(Settings(), Counts())
    warm_up, load, after = run.phases[0], next(phase for phase in run.phases if phase.measured), run.phases[-1]
    run.enter(warm_up, 0)
    work(0.02)
    assert run.processor_time.seconds == 0
    run.enter(load, 1)
    work(0.02)
    run.enter(after, 2)
    spent = run.processor_time.seconds
    assert spent >= 0.02
    work(0.02)
    assert run.processor_time.seconds == spent


def test_every_process_counts_and_no_request_is_no_figure() -> None:
    spent = ProcessorTime()
    assert spent.us_per_request(0) is None
    spent.others.update(one=1.5, two=0.5)
    assert spent.us_per_request(1000) == 2000.0
