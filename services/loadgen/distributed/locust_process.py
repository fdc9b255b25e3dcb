"""Locust's process and its run: alone, as the master of workers, or as a worker; one run for each start of a test."""

from __future__ import annotations

import json
import logging
import os
from typing import Any, Final

import gevent
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from services.loadgen.distributed.master import Master
from services.loadgen.distributed.phases import PhaseRunner
from services.loadgen.distributed.standstill import NOBODY
from services.loadgen.distributed.supervisor_link import SupervisorLink
from services.loadgen.distributed.worker_run import WorkerRun
from services.loadgen.judge.ledger import Counts
from services.loadgen.output.sampler import Sampler
from services.loadgen.settings import Settings
from services.loadgen.workload.greenlets import failure, start
from services.loadgen.workload.readiness import NotQuiet, NotReady, take_baseline
from services.loadgen.workload.run import Run

BASELINE: Final = "LOADGEN_BASELINE"
PROBE: Final = "LOADGEN_PROBE"
UNHELD: Final = "LOADGEN_UNHELD"
END_WITHIN_S: Final = 5.0

log = logging.getLogger(__name__)


class LocustProcess:
    """What Locust's events are told to. `run` is the latest run, with which the users work; None before the first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._master: Master | None = None
        self._worker: WorkerRun | None = None
        self.run: Run | None = None

    def connect(self, runner: Runner | None) -> None:
        """Hear the workers as their master, or the master as a worker; what is said belongs to the latest run."""
        if isinstance(runner, MasterRunner):
            runner.register_message("journal", lambda msg, **_: self._take(msg.node_id, msg.data))
            runner.register_message("failed", lambda msg, **_: self._halt(msg.data["why"]))
        elif isinstance(runner, WorkerRunner):
            runner.register_message("begin", lambda msg, **_: self._work(runner, msg.data))
            runner.register_message("phase", lambda msg, **_: self._enter(msg.data["step"]))

    def begin(self, environment: Environment) -> None:
        """Set a run up and start its phases. A worker is told to begin by its master."""
        runner = environment.runner
        if isinstance(runner, WorkerRunner):
            return
        try:
            baseline = self._baseline()
        except (NotReady, NotQuiet) as refusal:
            log.error("%s", refusal)
            gevent.spawn(_end, environment)
            return
        run = self.run = Run(self._settings, baseline)
        supervisor = SupervisorLink(
            run,
            supervised=BASELINE in os.environ,
            probed=bool(os.environ.get(PROBE)),
            unheld=os.environ.get(UNHELD, NOBODY),
        )
        if isinstance(runner, MasterRunner):
            self._master = Master(runner, run)
            self._master.begin()
        sampler = Sampler(
            run, lambda: runner.user_count if runner else 0, lambda sample: supervisor.send("sample", **sample)
        )
        start(run, "the run of phases", PhaseRunner(run, supervisor, lambda: _end(environment)).run)
        start(run, "the sampler", sampler.poll)
        start(run, "the sampler", sampler.report)
        start(run, "the clock", run.saturation.measure_delay, lambda: run.phase.measured)
        start(run, "Locust's statistics", run.locust.keep_merging, environment.stats)

    def fail(self, what: str, error: BaseException, trace: Any) -> None:
        """End the run for an error of one of its parts; as a worker, by telling the master."""
        self._halt(failure(what, error, (type(error), error, trace)))

    def stop(self) -> None:
        """End the run from outside, and give it time to tell its result."""
        if self._worker is not None:
            self._worker.end()
        elif self.run is not None:
            self.run.halt("Locust was stopped")
            self.run.over.wait(END_WITHIN_S)

    def stopped(self, environment: Environment) -> None:
        """All users have ended: Locust's statistics get the rest."""
        if self.run is not None:
            self.run.locust.merge(environment.stats)

    def _baseline(self) -> Counts:
        given, settings = os.environ.get(BASELINE), self._settings
        if given:
            return Counts(**json.loads(given))
        return take_baseline(settings.base_url, drains=settings.offers("drain")).counts

    def _halt(self, why: str) -> None:
        ending = self._worker or self.run
        if ending is not None:
            ending.halt(why)

    def _take(self, worker: str, message: dict[str, Any]) -> None:
        if self._master is not None:
            self._master.take(worker, message)

    def _work(self, runner: WorkerRunner, told: dict[str, Any]) -> None:
        self._worker = WorkerRun(runner, told)
        self.run = self._worker.run

    def _enter(self, step: int) -> None:
        if self._worker is not None:
            self._worker.enter(step)


def _end(environment: Environment) -> None:
    runner = environment.runner
    if runner is None:
        return
    if environment.parsed_options is not None and environment.parsed_options.headless:
        runner.quit()
    else:
        runner.stop()
