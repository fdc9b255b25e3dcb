"""Result bundle of the load generator: samples while it runs, `loadgen.json` and the histograms at its end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from metrics.catalogue import ELAPSED, VISIBILITY
from metrics.files import Reserve, write_whole
from metrics.points import DETAILS
from metrics.raw.visibility_samples import FILE
from metrics.records.loadgen import Loadgen, Phase
from metrics.records.record import write_json
from metrics.records.result import optional_sections, sections
from metrics.sinks import JsonLinesSink
from services.loadgen.judge.convergence import Judgement
from services.loadgen.judge.stats import Stats
from services.loadgen.messages import Message
from services.loadgen.output.influx_stream import InfluxStream
from services.loadgen.settings import Settings

_NOTHING_ACKNOWLEDGED = {"creates": 0, "updates": 0, "deletes": 0, "indeterminate": 0}
_HISTOGRAM_FILES = {"action": "actions.hdr", "read": "reads.hdr"}


ROOM = 256 * 1024
"""Bytes for `loadgen.json` and the histograms."""

log = structlog.get_logger()


class Bundle:
    """Collects the messages of a run's processes and writes them into the results folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.results_dir
        self._folder.mkdir(parents=True, exist_ok=True)
        self._room = Reserve(self._folder, ROOM)
        self._samples = JsonLinesSink(self._folder / "samples.jsonl")
        self._missing: dict[str, str] = {}
        self._visibility: dict[str, Any] = {}
        self._phases: list[Phase] = []
        self._influx: InfluxStream | None = None
        self._told: dict[str, set[str]] = {"strategies": set(), "handlers": set(), "read_models": set()}
        self.result: Message | None = None
        self.report: Message | None = None

    def begin(self, stats: Stats) -> None:
        """The system is there and quiet, and the run begins."""
        self._told["strategies"].update(stats.strategies or ())
        if self._settings.influx is not None:
            self._influx = InfluxStream(self._settings.influx, self._settings, stats, time.time())

    def settle(self) -> None:
        """Wait until InfluxDB, if one is told, answered for the first time, or its trouble is told."""
        if self._influx is not None:
            self._influx.settle()

    def phase(self, name: str, at: float) -> None:
        """A phase began, and so the one before has ended. Stages of one phase are joined."""
        if self._phases and self._phases[-1]["name"] == name:
            return
        self._end_phase(at)
        self._phases.append({"name": name, "started_at": at, "ended_at": None})
        self._tell_phase()

    def visibility(self, interval: Message) -> None:
        """The probe's latest second, for the next sample."""
        self._visibility = {
            "visibility_p50_ms": interval["p50_ms"],
            "visibility_p99_ms": interval["p99_ms"],
            "unseen_age_ms": interval["unseen_age_ms"],
        }

    def sample(self, message: Message) -> dict[str, Any]:
        """Write one line of `samples.jsonl` at once, and return it."""
        details = {name: message.get(name, []) for name in DETAILS}
        for projector in details["projectors"]:
            for name, one in (("strategies", "strategy"), ("handlers", "handler"), ("read_models", "read_models")):
                self._told[name].update(filter(None, (projector[one],)))
        sample = {name: value for name, value in message.items() if name != "event" and name not in details}
        sample |= {**dict.fromkeys(VISIBILITY.names - {ELAPSED.name}), **self._visibility}
        sample["dropped_points"] = self._influx.dropped if self._influx else 0
        with self._noting("samples.jsonl"):
            self._samples.write(sample)
        if self._influx is not None:
            self._influx.sample(sample, details)
        self._visibility = {}
        return sample

    def close(self, judgement: Judgement) -> None:
        """Write everything else. What was never seen is zero; what can not be written is told in `loadgen.json`.

        Raises OSError where that can not be written itself.
        """
        self._room.release()
        with self._noting("samples.jsonl"):
            self._samples.close()
        now = time.time()
        self._end_phase(now)
        document = self._document(judgement)
        self._write_histograms()
        faults = "".join(json.dumps(fault) + "\n" for fault in (self.result or {}).get("faults", []))
        self._keep("acknowledged_missing.jsonl", faults)
        if self._influx is not None:
            document["influx"] = self._influx.end(document, now)
            document["generator"]["dropped_points"] = self._influx.dropped
        self._drop_half_page()
        write_json(self._folder / "loadgen.json", document)

    def _document(self, judgement: Judgement) -> dict[str, Any]:
        """`loadgen.json` as far as Locust and the probe told of it."""
        result, report = self.result or {}, self.report or {}
        figures = {
            name: result.get(name) or report.get(name) or section().to_dict() for name, section in sections().items()
        }
        for name in optional_sections():
            if found := result.get(name) or report.get(name):
                figures[name] = found
        told: Loadgen = {
            "verdict": judgement.verdict,
            "why": judgement.why,
            "strategies": sorted(self._told["strategies"]),
            "handlers": sorted(self._told["handlers"]),
            "read_models": sorted(self._told["read_models"]),
            "phases": self._phases,
            "settings": self._settings.as_used(),
            "acknowledged": result.get("acknowledged", _NOTHING_ACKNOWLEDGED),
            "errors": result.get("errors", {}),
            "stages": result.get("stages", []),
            "scheduler_delay_p99_ms": result.get("scheduler_delay_p99_ms"),
            "last_projected_at": result.get("last_projected_at"),
            "influx": None,
            "probe": {name: report.get(name) for name in ("updates", "unseen", "resolution_ms", "relative_resolution")},
            "missing": self._missing,
        }
        return {**told, **figures}

    def _write_histograms(self) -> None:
        result, report = self.result or {}, self.report or {}
        for kind, encoded in result.get("histograms", {}).items():
            self._keep(_HISTOGRAM_FILES[kind], encoded + "\n")
        if "histogram" in report:
            self._keep("visibility.hdr", report["histogram"] + "\n")
            self._keep(FILE, "".join(json.dumps(sample) + "\n" for sample in report["samples"]))

    def _keep(self, name: str, text: str) -> None:
        with self._noting(name):
            write_whole(self._folder / name, text)

    def _drop_half_page(self) -> None:
        """Locust writes its page in place, and goes on where the disk is full."""
        page = self._folder / "locust.html"
        with self._noting(page.name):
            if page.exists() and not page.read_text(encoding="utf-8", errors="replace").rstrip().endswith("</html>"):
                page.unlink()
                self._missing[page.name] = "Locust could not write it to its end"

    @contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        """A run goes on without a file that can not be written; one should know."""
        try:
            yield
        except OSError as error:
            if name not in self._missing:
                log.warning("file not written", file=name, error=str(error))
            self._missing[name] = error.strerror or str(error)

    def _end_phase(self, at: float) -> None:
        if self._phases and self._phases[-1]["ended_at"] is None:
            self._phases[-1]["ended_at"] = at
            self._tell_phase()

    def _tell_phase(self) -> None:
        if self._influx is not None:
            phase = self._phases[-1]
            self._influx.phase(phase["name"], phase["started_at"], phase["ended_at"])
