"""The records of a result: the contract's fields, there and back, and refusals by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metrics.records.record import BadRecord, write_json
from metrics.records.result import Correctness, Result, read_result
from tests.unit.bench import bundles

PERCENTILES = {"p50", "p95", "p99", "max"}
DISTRIBUTION = {"p50", "p95", "max", "final"}
CONTRACT: dict[str, set[str] | None] = {
    **dict.fromkeys(
        (
            *("schema", "method", "run_id", "scenario", "platform", "mode", "strategy", "handler", "proof"),
            *("verdict", "why", "trial", "settings", "warnings", "doubts", "note"),
            *("resources", "neighbours"),
        )
    ),
    "throughput": {"actions", "actions_per_s", "reads", "reads_per_s", "rejected", "errors"},
    "latency_ms": {"actions", "reads"},
    "projection_lag": DISTRIBUTION,
    "event_id_lag": {*DISTRIBUTION, "why"},
    "backlog": DISTRIBUTION,
    "visibility_ms": {*PERCENTILES, "samples"},
    "target": {"name", "version", "class", "capabilities"},
    "convergence": {"held_s", "time_s", "speed_events_per_s", "events", "resolution_s", "until", "why"},
    "staleness": {
        *("visible_within_ms", "curve", "curve_bounds", "read_your_writes", "monotonic_violations"),
        *("monotonic_reads", "waiting", "writes", "unseen", "connections", "requests_per_s"),
        *("interval_ms", "resolution_ms", "relative_resolution", "why"),
    },
    "waterfall_ms": {
        *("commit_to_noticed", "noticed_to_claimed", "claimed_to_committed", "committed_to_read"),
        *("visibility", "insert_to_acknowledged", "ahead"),
        *("samples", "writes", "disagreements", "newest_only", "resolution_ms", "why"),
    },
    "correctness": {
        *("events_checked", "lost", "duplicated", "reordered", "phantom", "mismatched_rows"),
        *("acknowledged_checked", "acknowledged_missing"),
    },
}


def document() -> dict[str, Any]:
    return bundles.result().to_dict()


def test_a_result_has_the_fields_of_the_contract() -> None:
    found = document()
    assert set(found) == {*CONTRACT, "generator"}
    for name, fields in CONTRACT.items():
        if fields is not None:
            assert set(found[name]) == fields, name
    assert set(found["latency_ms"]["actions"]) == PERCENTILES
    assert set(found["generator"]) >= {"cpu_percent", "target_rate", "achieved_rate", "saturated"}


def test_a_result_survives_json(tmp_path: Path) -> None:
    write_json(tmp_path / "result.json", document())
    assert read_result(tmp_path / "result.json") == bundles.result()
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d.pop("verdict"), "Result: Object missing required field `verdict`"),
        (lambda d: d["convergence"].pop("time_s"), r"missing required field `time_s` - at `\$.convergence`"),
        (lambda d: d.update(extra=1), r"unknown field `extra` - at `\$`"),
        (lambda d: d["latency_ms"]["reads"].update(p42=1), r"unknown field `p42` - at `\$.latency_ms.reads`"),
        (lambda d: d["throughput"].update(reads="9"), r"Expected `int`, got `str` - at `\$.throughput.reads`"),
        (lambda d: d["generator"].update(cpu_percent=None), r"got `null` - at `\$.generator.cpu_percent`"),
        (lambda d: d.update(schema=99), "schema 99 is not the one this version reads"),
        (lambda d: d.update(verdict="fine"), r"Invalid enum value 'fine' - at `\$.verdict`"),
    ],
)
def test_a_document_that_is_no_result_is_refused_by_the_field(change: Any, complaint: str) -> None:
    found = json.loads(json.dumps(document()))
    change(found)
    with pytest.raises(BadRecord, match=complaint):
        Result.from_dict(found)


@pytest.mark.parametrize(
    "kind", ["lost", "duplicated", "reordered", "phantom", "mismatched_rows", "acknowledged_missing"]
)
def test_every_count_of_faults_makes_a_run_unsound(kind: str) -> None:
    correctness = Correctness.from_dict({**Correctness().to_dict(), kind: 1})
    assert correctness.faults == 1
    assert not Result.from_dict({**document(), "correctness": correctness.to_dict()}).sound


def test_what_was_checked_is_no_fault() -> None:
    assert Correctness(events_checked=5, acknowledged_checked=7).faults == 0
