"""Run annotations for InfluxDB, unknown to the load generator: artificial costs, and the verdict of all oracles."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final

from bench.bundle.folder import Bundle
from bench.ends.errors import RunFailed
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from metrics.influx import write_once
from metrics.points import Point, RunTags
from metrics.records.result import Result
from metrics.target import Target

FILE: Final = "influx.json"


class Observer:
    """One run as InfluxDB sees it; silent without one. No trouble of InfluxDB is a trouble of the run."""

    def __init__(self, bundle: Bundle, settings: Settings) -> None:
        self._bundle = bundle
        self._conditions = {"projectors": settings.projectors, "handler_latency_ms": settings.handler_latency_ms}
        self._tags = RunTags(
            bundle.run_id, settings.mode, settings.strategy, settings.scenario.name, settings.target.name
        )
        self._target: Target | None = None
        self._began_at = time.time()
        self._trouble: str | None = None
        self._written = 0
        self._dropped = 0

    def begin(self, target: Target | None, progress: Progress) -> None:
        """The run begins: what it costs by design. A trouble is told at once, in one line."""
        self._target = target
        if target is not None:
            self._write(target, self._tags.run_info(self._conditions, time.time()))
            if self._trouble:
                progress.step(f"note: {self._trouble}; the run goes on without it")

    def end(self, result: Result) -> None:
        """The run is judged: the result in the place of the load generator's own, and `influx.json` in the bundle."""
        if self._target is None:
            return
        told = self._loadgen().get("influx") or {"started_at": self._began_at, "ended_at": time.time()}
        started_at, ended_at = told["started_at"], told["ended_at"]
        # Who kept silent a moment ago is not waited for again.
        self._tags = replace(self._tags, strategy=result.strategy)
        if told.get("reachable", not self._trouble):
            self._write(self._target, self._tags.result(result.to_dict(), self._conditions, started_at, ended_at))
        else:
            self._dropped += 1
        document = {
            "url": self._target.url,
            "dashboard": self._target.dashboard(self._bundle.run_id, started_at, ended_at),
            "written": told.get("written", 0) + self._written,
            "dropped": told.get("dropped", 0) + self._dropped,
            "trouble": told.get("trouble") or self._trouble,
        }
        self._bundle.write(FILE, document)

    def _loadgen(self) -> dict[str, Any]:
        try:
            return self._bundle.read("loadgen.json") or {}
        except RunFailed:
            return {}  # the run itself has told it

    def _write(self, target: Target, point: Point) -> None:
        trouble = write_once(target, [point])
        self._trouble = self._trouble or trouble
        self._written += trouble is None
        self._dropped += trouble is not None
