"""Phases of a run: warm-up, load, hold, convergence, verification, one after another, to a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable

from services.loadgen.distributed.hold import Hold
from services.loadgen.distributed.supervisor_link import SupervisorLink
from services.loadgen.http_client import HttpClient, HttpError
from services.loadgen.judge.convergence import Judgement, LoadHealth, gravest, judge, judge_read_back, measure, validity
from services.loadgen.judge.final_read import verify
from services.loadgen.judge.read_back import Findings
from services.loadgen.judge.stats import BadStats, Stats, parse_stats
from services.loadgen.judge.todo import todo_from_json
from services.loadgen.output import acknowledged
from services.loadgen.output.summary import Summary
from services.loadgen.workload.dispatcher import dispatch
from services.loadgen.workload.greenlets import failure, start
from services.loadgen.workload.plan import Phase, readers
from services.loadgen.workload.run import ConvergenceWatch, Halted, Run

_LOOK_S = 0.02
_RETRY_S = 0.2
_OBSERVER = -1


class PhaseRunner:
    """Runs the phases of a run one after another in a greenlet of its own, and calls `end` when all is told."""

    def __init__(self, run: Run, supervisor: SupervisorLink, end: Callable[[], None]) -> None:
        self._run = run
        self._supervisor = supervisor
        self._end = end
        self._http = HttpClient(run.settings.base_url)
        self._summary = Summary(run)
        self._hold = Hold(run, supervisor, self._stats)

    def run(self) -> None:
        """A greenlet's body: the whole run, ended early or not, with a result in any case."""
        try:
            judgement = self._judge_phases()
        except Halted as halted:
            judgement = Judgement("invalid", str(halted))
        except Exception as error:
            judgement = Judgement("invalid", failure("the run of phases", error))
        self._run.halt("the run is over")
        acknowledged.leave(self._run.settings.results_dir, self._run.ledger)
        self._supervisor.send("result", **self._summary.sections(judgement))
        self._run.over.set()
        self._end()

    def _judge_phases(self) -> Judgement:
        phases = self._run.phases
        *loaded, convergence, verification = range(len(phases))
        for step in loaded:
            if phases[step].name != "hold":
                self._spend(step)
            elif self._hold.possible:
                self._enter(step)
                self._hold.spend()
        found = [self._converge(convergence)]
        if found[0].verdict in ("converged", "diverged"):
            # A doubt about the measurement is none about the writes that were acknowledged: they are looked for anyway.
            found.append(self._verify(verification))
        if (doubt := validity(self._health())) is not None:
            found.append(doubt)
        return gravest(found)

    def _enter(self, step: int) -> Phase:
        phase = self._run.phases[step]
        self._run.enter(phase, step)
        self._supervisor.send("phase", name=phase.name, at=time.time())
        return phase

    def _spend(self, step: int) -> None:
        phase = self._enter(step)
        if self._run.arrivals is not None and not self._run.leads and step == 0:
            start(self._run, "the open loop", dispatch, self._run)
        with self._summary.stage(phase):
            self._run.pause(phase.seconds or 0.0)

    def _health(self) -> LoadHealth:
        recorder = self._run.recorder
        busy = f"its pool of VUS={self._run.settings.users} was busy"
        cause = "it was saturated" if self._run.saturation.saturated else busy
        return LoadHealth(
            answered=sum(recorder.answered.values()) + recorder.rejected,
            errors=recorder.errors,
            missed_share=self._run.missed_share,
            missed_because=cause,
            failed_because=self._run.endpoints.causes.most(),
        )

    def _converge(self, step: int) -> Judgement:
        phase = self._enter(step)
        began = time.monotonic()
        while self._run.ledger.in_flight:
            self._run.pause(0.005)
        # What the probe has in the air may still commit: only then is what is left to project all that there will be.
        self._adopt_probe()
        asked_at = time.time()
        first = self._stats()
        held = self._hold.release(first)
        if held.released_at is not None:
            began = time.monotonic()
        reading = readers(self._run.user_numbers, phase.writers)
        ledger = self._run.ledger
        watch = ConvergenceWatch(ledger.expected(), reading or [_OBSERVER], first, began, asked_at)
        self._run.watch = watch
        limit_s = self._run.settings.convergence_max_s
        while (judgement := judge(watch.evidence(limit_s))) is None:
            if not reading:
                self._call_drain()
                asked_at = time.time()
                watch.note(_OBSERVER, self._stats(), asked_at)
            self._run.pause(_LOOK_S)
        elapsed_s = time.monotonic() - began
        looks = watch.looks(ledger.written_at)
        self._summary.convergence = measure(first, watch.stats, judgement.verdict, elapsed_s, held, looks)
        self._summary.final = watch.stats
        return judgement

    def _adopt_probe(self) -> None:
        message = self._supervisor.probe_writes()
        if message is not None:
            todos = [todo_from_json(todo) for todo in message["todos"]]
            self._run.ledger.adopt(todos, lost_updates=message["lost"])
            self._run.ledger.sent(message.get("written_at"))

    def _verify(self, step: int) -> Judgement:
        self._enter(step)
        try:
            findings: Findings = verify(self._run.settings.base_url, self._run.ledger)
        except HttpError as error:
            return Judgement("invalid", f"the final state could not be read: {error}")
        self._summary.findings = findings
        return judge_read_back(findings, self._run.ledger.entered)

    def _stats(self) -> Stats:
        while True:
            try:
                return parse_stats(self._http.get("/stats"))
            except (HttpError, BadStats):
                # The sampler halts the run when the server stays silent; until then a lost answer is asked again.
                self._run.pause(_RETRY_S)

    def _call_drain(self) -> None:
        if not self._run.settings.offers("drain"):
            return
        try:
            self._http.call("POST", "/drain")
        except HttpError:
            self._run.pause(_RETRY_S)
