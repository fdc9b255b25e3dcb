"""Run of a Locust worker: its users do as the master's phase says, and its journal goes to the master.

A message is sent ten times a second, and a last one at the end, so the master misses nothing that was acknowledged.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from services.loadgen.distributed.journal import (
    Journal,
    JournalledEndpoints,
    JournalledLedger,
    JournalledRecorder,
    JournalledWatch,
)
from services.loadgen.judge.ledger import Counts, hottest
from services.loadgen.settings import Settings
from services.loadgen.workload.dispatcher import dispatch
from services.loadgen.workload.greenlets import start
from services.loadgen.workload.run import Run

if TYPE_CHECKING:
    from locust.runners import WorkerRunner

TELL_EVERY_S: Final = 0.1
LOOK_EVERY_S: Final = 1.0


class WorkerRun:
    """One run as a worker has it. `run` is what its users work with."""

    def __init__(self, runner: WorkerRunner, told: dict[str, Any]) -> None:
        place, of = told["place"], told["of"]
        settings = Settings.from_env(told["settings"])
        if settings.rate is not None:
            settings = replace(settings, rate=settings.rate / of, seed=settings.seed + place)
        self._runner = runner
        self._journal = Journal()
        self.run = Run(settings, Counts(), place=place, of=of)
        self.run.refuse = self.halt
        self.run.ledger = JournalledLedger(self._journal, hottest=hottest(settings.skew, place, of))
        self.run.recorder = JournalledRecorder(self._journal)
        self.run.endpoints = JournalledEndpoints(self._journal)
        self._told = 0
        start(self, "a worker's report", self._tell)
        start(self, "a worker's statistics", self.run.locust.keep_merging, runner.stats)
        start(self, "a worker's clock", self.run.saturation.measure_delay, lambda: self.run.phase.measured)

    def enter(self, step: int) -> None:
        """The master's phase."""
        run = self.run
        run.enter(run.phases[step], step)
        if step == 0 and run.arrivals is not None:
            start(self, "the open loop", dispatch, run)
        if run.phase.name == "convergence":
            run.watch = JournalledWatch(self._journal)

    def halt(self, why: str) -> None:
        """Something of this worker failed: the master ends the run."""
        self._runner.send_message("failed", {"why": why})

    def end(self) -> None:
        """The run has ended: send the rest of the journal."""
        self.run.halt("the run is over")

    def _tell(self) -> None:
        looked_at = time.monotonic()
        while not self.run.halted.wait(TELL_EVERY_S):
            if time.monotonic() - looked_at >= LOOK_EVERY_S:
                looked_at = time.monotonic()
                self.run.saturation.look(measured=self.run.phase.measured)
            self._runner.send_message("journal", self._message())
        self._runner.send_message("journal", self._message())

    def _message(self) -> dict[str, Any]:
        run = self.run
        new, self._told = run.user_numbers[self._told :], len(run.user_numbers)
        return {
            "step": run.step,
            "in_flight": run.ledger.in_flight,
            "written_at": run.ledger.written_at,
            "scheduled": run.scheduled,
            "started": run.started,
            "user_numbers": new,
            "cpu_percent": run.saturation.cpu_percent,
            "cpu_s": run.processor_time.seconds,
            "delay_p99_ms": run.saturation.delay_p99_ms,
            "entries": self._journal.take(),
        }
