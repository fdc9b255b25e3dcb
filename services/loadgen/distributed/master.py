"""The master's side of a run with workers: leads them through the phases, and keeps the books of what they do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from services.loadgen.distributed.journal import enter
from services.loadgen.workload.greenlets import start
from services.loadgen.workload.run import Run

if TYPE_CHECKING:
    from locust.runners import MasterRunner

SILENT_S: Final = 5.0
LOOK_S: Final = 0.5
UNHEARD: Final = 1


class Hand:
    """One worker, as its last message told it."""

    def __init__(self) -> None:
        self.step = -1
        self.in_flight = 0
        self.scheduled = 0
        self.started = 0
        self.heard_at = time.monotonic()


class Crew:
    """All workers of one run. A run whose worker falls silent is halted: what its users wrote would be unknown."""

    def __init__(self, runner: MasterRunner, run: Run) -> None:
        self._runner = runner
        self._run = run
        self._hands = {client.id: Hand() for client in runner.clients.ready}

    def begin(self) -> None:
        """Give every worker the settings, its place among them, and the phase."""
        run = self._run
        run.leads = True
        run.on_phase = self._lead
        for place, name in enumerate(sorted(self._hands)):
            told = {"settings": run.settings.told(), "place": place, "of": len(self._hands)}
            self._runner.send_message("begin", told, client_id=name)
        start(run, "the watch over the workers", self._listen_for_silence)

    def take(self, name: str, message: dict[str, Any]) -> None:
        """A worker's message: enter what it did."""
        hand = self._hands.get(name)
        if hand is None:
            return
        hand.heard_at = time.monotonic()
        hand.step, hand.in_flight = message["step"], message["in_flight"]
        hand.scheduled, hand.started = message["scheduled"], message["started"]
        enter(self._run, message["entries"])
        self._run.indexes.extend(message["indexes"])
        self._run.vitals.others[name] = (message["cpu_percent"], message["delay_p99_ms"])
        self._sum_up()

    def _lead(self, step: int) -> None:
        self._runner.send_message("phase", {"step": step})
        self._sum_up()

    def _sum_up(self) -> None:
        """A worker that has not said that it is in the phase may still begin a write of the one before."""
        run, hands = self._run, self._hands.values()
        run.ledger.in_flight = sum(UNHEARD if hand.step < run.step else hand.in_flight for hand in hands)
        run.scheduled = sum(hand.scheduled for hand in hands)
        run.started = sum(hand.started for hand in hands)

    def _listen_for_silence(self) -> None:
        while not self._run.halted.wait(LOOK_S):
            now = time.monotonic()
            silent = [name for name, hand in self._hands.items() if now - hand.heard_at > SILENT_S]
            if silent:
                self._run.halt(f"{len(silent)} of {len(self._hands)} workers of the load generator fell silent")
