"""Summary of a run: the sections of its result, from the recorder, the ledger and the verdict."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from metrics.records.loadgen import Stage
from metrics.records.result import Correctness, Generator
from metrics.records.sections.convergence import Convergence
from services.loadgen.judge.convergence import Judgement
from services.loadgen.judge.read_back import Findings
from services.loadgen.judge.stats import Stats
from services.loadgen.workload.plan import Phase
from services.loadgen.workload.run import Run

FAULTS_KEPT = 1000


class Summary:
    """Collects what the phases leave behind. What never came to pass stays at zero."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._load_s = 0.0
        self._stages: list[Stage] = []
        self.convergence = Convergence()
        self.findings = Findings(0)
        self.final: Stats | None = None

    @contextmanager
    def stage(self, phase: Phase) -> Iterator[None]:
        """Measure how long a stage lasted, cut short or not, and what was answered in it."""
        answered = self._run.recorder.answered
        began, before = time.perf_counter(), dict(answered)
        try:
            yield
        finally:
            seconds = time.perf_counter() - began
            if phase.measured:
                self._load_s += seconds
                self._stages.append(
                    {
                        "users": max(1, round(self._run.settings.users * phase.users)),
                        "mix": phase.mix,
                        "seconds": round(seconds, 3),
                        "actions_per_s": (answered["action"] - before["action"]) / seconds,
                        "reads_per_s": (answered["read"] - before["read"]) / seconds,
                    }
                )

    def sections(self, judgement: Judgement) -> dict[str, Any]:
        """The result's sections as JSON values, histograms encoded."""
        recorder, final = self._run.recorder, self.final
        lag = abs(final.counts.active - self._run.ledger.expected_active) if final else 0
        return {
            "verdict": judgement.verdict,
            "why": judgement.why,
            "throughput": recorder.throughput(self._load_s).to_dict(),
            "latency_ms": recorder.latency().to_dict(),
            "projection_lag": recorder.distribution("projection_lag", lag).to_dict(),
            "event_id_lag": recorder.event_id_lag(final).to_dict(),
            "backlog": recorder.distribution("backlog", final.backlog if final else 0).to_dict(),
            "convergence": self.convergence.to_dict(),
            "last_projected_at": final and final.last_projected_at,
            "correctness": Correctness(
                acknowledged_checked=self.findings.checked, acknowledged_missing=self.findings.missing
            ).to_dict(),
            "generator": self._generator().to_dict(),
            "scheduler_delay_p99_ms": self._run.saturation.delay_p99_ms,
            "acknowledged": self._run.ledger.summary(),
            "errors": dict(self._run.endpoints.errors.most_common()),
            "stages": self._stages,
            "faults": [asdict(fault) for fault in self.findings.faults[:FAULTS_KEPT]],
            "histograms": {kind: h.encode().decode("ascii") for kind, h in recorder.histograms.items()},
        }

    def _generator(self) -> Generator:
        run, seconds = self._run, self._load_s
        done = run.started if run.arrivals is not None else sum(run.recorder.answered.values())
        return Generator(
            cpu_percent=run.saturation.cpu_percent,
            target_rate=run.settings.rate,
            achieved_rate=done / seconds if seconds > 0 else 0.0,
            saturated=run.saturation.saturated,
            missed=None if run.arrivals is None else run.recorder.missed,
            cpu_us_per_request=run.processor_time.us_per_request(run.recorder.finished),
        )
