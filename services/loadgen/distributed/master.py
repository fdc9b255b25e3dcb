"""Master of a distributed run: leads Locust's workers through the phases, and replays the journal of each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from services.loadgen.distributed.journal import replay
from services.loadgen.workload.greenlets import start
from services.loadgen.workload.run import Run

if TYPE_CHECKING:
    from locust.runners import MasterRunner

SILENT_S: Final = 5.0
LOOK_S: Final = 0.5
UNHEARD: Final = 1
"""Writes in flight of a worker that has not yet said that it is in the phase: it may still begin one."""


class Worker:
    """One worker, as its last message told it."""

    def __init__(self) -> None:
        self.step = -1
        self.in_flight = 0
        self.scheduled = 0
        self.started = 0
        self.heard_at = time.monotonic()


class Master:
    """All workers of one run. A run whose worker falls silent is halted: what its users wrote would be unknown."""

    def __init__(self, runner: MasterRunner, run: Run) -> None:
        self._runner = runner
        self._run = run
        self._workers = {client.id: Worker() for client in runner.clients.ready}

    def begin(self) -> None:
        """Give every worker the settings, its place among them, and the phase."""
        run = self._run
        run.leads = True
        run.on_phase = self._announce
        for place, name in enumerate(sorted(self._workers)):
            told = {"settings": run.settings.told(), "place": place, "of": len(self._workers)}
            self._runner.send_message("begin", told, client_id=name)
        start(run, "the watch over the workers", self._listen_for_silence)

    def take(self, name: str, message: dict[str, Any]) -> None:
        """Take in a worker's journal; one of a worker that is none of this run is ignored."""
        worker = self._workers.get(name)
        if worker is None:
            return
        worker.heard_at = time.monotonic()
        worker.step, worker.in_flight = message["step"], message["in_flight"]
        worker.scheduled, worker.started = message["scheduled"], message["started"]
        replay(self._run, message["entries"])
        if self._run.settings.listen is None:
            # Workers of another machine have a clock of their own.
            self._run.ledger.sent(message["written_at"])
        self._run.user_numbers.extend(message["user_numbers"])
        self._run.saturation.others[name] = (message["cpu_percent"], message["delay_p99_ms"])
        self._run.processor_time.others[name] = message["cpu_s"]
        self._sum_up()

    def _announce(self, step: int) -> None:
        self._runner.send_message("phase", {"step": step})
        self._sum_up()

    def _sum_up(self) -> None:
        run, workers = self._run, self._workers.values()
        run.ledger.in_flight = sum(UNHEARD if worker.step < run.step else worker.in_flight for worker in workers)
        run.scheduled = sum(worker.scheduled for worker in workers)
        run.started = sum(worker.started for worker in workers)

    def _listen_for_silence(self) -> None:
        while not self._run.halted.wait(LOOK_S):
            now = time.monotonic()
            silent = [name for name, worker in self._workers.items() if now - worker.heard_at > SILENT_S]
            if silent:
                self._run.halt(f"{len(silent)} of {len(self._workers)} workers of the load generator fell silent")
