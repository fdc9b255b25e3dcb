"""InfluxDB points of a run, beside its bundle. Nothing here can slow the run or change its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from metrics.influx import InfluxSink
from metrics.points import RunTags
from metrics.records.sections.staleness import NOT_TOLD
from metrics.target import Target
from services.loadgen.judge.stats import Stats
from services.loadgen.settings import Settings


class InfluxStream:
    """One run's points. The run is named by RUN_ID, or else by the moment, the scenario and the mode."""

    def __init__(self, target: Target, settings: Settings, stats: Stats, at: float) -> None:
        serial = settings.serial if stats.serial is None else stats.serial
        mode = "serial" if serial else "parallel"
        moment = datetime.fromtimestamp(at, UTC).strftime("%Y%m%d-%H%M%S")
        self._target = target
        self._started_at = at
        self._tags = RunTags(
            run=settings.run_id or f"{moment}-{settings.scenario.name}-{mode}",
            target=settings.target,
            mode=mode,
            strategy=NOT_TOLD if stats.strategies is None else "+".join(stats.strategies) or "none",
            scenario=settings.scenario.name,
        )
        self._conditions = {"projectors": stats.projectors_alive}
        self._sink = InfluxSink(target, lambda trouble: print(trouble, flush=True))
        self._sink.write([self._tags.run_info({**_info(settings), **self._conditions}, at)])

    @property
    def dropped(self) -> int:
        """Points dropped so far."""
        return self._sink.dropped

    def settle(self) -> None:
        """Wait until InfluxDB took the run's settings, or a line has told why it did not."""
        self._sink.settle()

    def phase(self, name: str, started_at: float, ended_at: float | None) -> None:
        """A phase began, or ended."""
        self._sink.write([self._tags.phase(name, started_at, ended_at)])

    def sample(self, sample: Mapping[str, Any], details: Mapping[str, Any]) -> None:
        """One second."""
        self._sink.write(self._tags.sample(sample, details))

    def end(self, document: Mapping[str, Any], at: float) -> dict[str, Any]:
        """Write the result, close, and tell what became of the points and where to look at them."""
        self._sink.write([self._tags.result(document, self._conditions, self._started_at, at)])
        self._sink.close()
        dashboard = self._target.dashboard(self._tags.run, self._started_at, at)
        print(f"influxdb     {self._sink.written} points written, {self._sink.dropped} dropped")
        print(f"dashboard    {dashboard}", flush=True)
        return {
            "url": self._target.url,
            "run": self._tags.run,
            "started_at": self._started_at,
            "ended_at": at,
            "written": self._sink.written,
            "dropped": self._sink.dropped,
            "trouble": self._sink.trouble,
            "reachable": self._sink.healthy,
            "dashboard": dashboard,
        }


def _info(settings: Settings) -> dict[str, float | None]:
    return {
        "users": settings.users,
        "duration_s": settings.duration_s,
        "write_ratio": settings.write_ratio,
        "think_time_ms": settings.think_time_ms,
        "target_rate": settings.rate,
        "seed": settings.seed,
    }
