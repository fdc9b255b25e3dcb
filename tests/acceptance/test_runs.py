"""Whole runs by the command line on a real Postgres: converged and proved, or ended early with nothing left.

Each test looks at the end of one (`tests.acceptance.ends_of_runs`).
"""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram

from bench.trial.waterfall.stages import HEARD_LATE
from metrics.catalogue import STAGES
from metrics.records.result import Correctness
from tests.acceptance.bench_process import SHORT
from tests.acceptance.ends_of_runs import End, every_end
from tests.cluster import Cluster

FILES = {
    *("result.json", "samples.jsonl", "loadgen.json", "verification.json"),
    *(
        "target.json",
        "contract.json",
        "machine.json",
        "postgres.json",
        "doctor.json",
        "versions.json",
        "report.html",
        "resources.jsonl",
    ),
    *("actions.hdr", "reads.hdr", "visibility.hdr", "projected.hdr", "acknowledged_missing.jsonl", "staleness.jsonl"),
    *("locust.html", "locust_stats.csv", "locust_stats_history.csv", "locust_failures.csv"),
}
KEYS = {
    *("schema", "run_id", "scenario", "mode", "verdict", "why", "settings", "trial", "throughput", "latency_ms"),
    *("projection_lag", "event_id_lag", "backlog", "visibility_ms", "convergence", "correctness", "generator"),
    *("strategy", "warnings", "method", "target", "platform", "handler", "proof", "note", "doubts"),
    *("staleness", "waterfall_ms"),
    *("resources", "neighbours"),
}


@pytest.fixture(scope="module")
def ends(cluster: Cluster) -> dict[str, Any]:
    """The end of every run; or what went wrong with it, which its test raises."""
    return asyncio.run(every_end(cluster.create(migrated=False)))


def end(ends: dict[str, Any], name: str) -> Any:
    found = ends[name]
    if isinstance(found, BaseException):
        raise found
    return found


@pytest.fixture(params=["parallel", "serial", "killed projector"])
def sound(request: pytest.FixtureRequest, ends: dict[str, Any]) -> End:
    """A run that should be sound."""
    if request.param == "parallel":
        found: End = end(ends, "parallel")
        return found
    killed, serial = end(ends, "killed projector, then serial")
    found = killed if request.param == "killed projector" else serial
    return found


def test_a_run_converges_and_is_proved_right(sound: End) -> None:
    assert sound.code == 0, sound.said
    assert sound.clean
    assert sound.result["verdict"] == "converged"
    correctness = Correctness.from_dict(sound.result["correctness"])
    assert correctness.faults == 0
    assert correctness.events_checked >= correctness.acknowledged_checked > 50
    assert sound.result["throughput"]["actions"] > 0
    assert sound.result["throughput"]["errors"] == 0
    assert sound.result["visibility_ms"]["samples"] > 0
    assert sound.result["backlog"]["final"] == 0
    assert "CONVERGED" in sound.said


def test_a_bundle_has_all_files_and_fields_of_the_contract(sound: End) -> None:
    assert sound.files >= FILES
    assert "log" in sound.files
    assert set(sound.result) == KEYS
    assert sound.latest == sound.result["run_id"]
    assert sound.documents["versions"]["packages"]["litestar"]
    assert sound.documents["machine"]["cores"] >= 1
    for name, counted in (("actions.hdr", "actions"), ("reads.hdr", "reads")):
        histogram = HdrHistogram.decode(sound.texts[name].strip().encode())
        assert histogram.get_total_count() == sound.result["throughput"][counted]
    projected = HdrHistogram.decode(sound.texts["projected.hdr"].strip().encode())
    assert 0 < projected.get_total_count() == sound.documents["verification"]["projected_samples"]


@pytest.fixture(params=["parallel", "serial", "two API processes"])
def told(request: pytest.FixtureRequest, ends: dict[str, Any]) -> End:
    """A run of each strategy, one of them with a function for each event and two API processes."""
    name = "killed projector, then serial" if request.param == "serial" else request.param
    found = end(ends, name)
    result: End = found[1] if request.param == "serial" else found
    return result


def test_the_stages_of_a_write_add_up_to_the_visibility_that_the_probe_measured(told: End) -> None:
    waterfall = told.result["waterfall_ms"]
    assert waterfall["why"] == ""
    lines = [json.loads(line) for line in told.texts["waterfall.jsonl"].splitlines()]
    assert len(lines) == waterfall["samples"] > 0
    for line in lines:
        assert abs(sum(line[stage] for stage in STAGES) - line["visibility_ms"]) <= waterfall["resolution_ms"], line
        assert line["disagreement"] in ("", HEARD_LATE)
    # A batch that fails and is tried again has no row of its own.
    assert waterfall["samples"] >= 0.9 * waterfall["writes"]


def test_reads_over_connections_in_turn_never_go_back(told: End) -> None:
    staleness = told.result["staleness"]
    assert staleness["why"] == ""
    assert staleness["monotonic_reads"] > staleness["writes"] > 0
    assert staleness["monotonic_violations"] == 0
    assert staleness["waiting"]["seen"] >= staleness["read_your_writes"]
    assert "sees its own write in 99 of 100" in " ".join(told.said.split()) or staleness["unseen"]


def test_a_waterfall_that_can_not_be_told_says_why(ends: dict[str, Any]) -> None:
    killed: End = end(ends, "killed projector, then serial")[0]
    assert killed.result["waterfall_ms"]["commit_to_noticed"] is None
    assert "HANDLER_LATENCY_MS" in killed.result["waterfall_ms"]["why"]


@pytest.mark.parametrize("mode", ["parallel", "serial"])
def test_the_projection_catches_up_after_a_standstill_that_is_in_no_figure_of_the_load(
    mode: str, ends: dict[str, Any]
) -> None:
    found: End = end(ends, "parallel") if mode == "parallel" else end(ends, "killed projector, then serial")[1]
    convergence = found.result["convergence"]
    assert convergence["held_s"] >= 1
    assert convergence["events"] > 0
    assert convergence["time_s"] > 0
    assert convergence["speed_events_per_s"] == pytest.approx(convergence["events"] / convergence["time_s"])
    assert (convergence["why"], convergence["until"]) == ("", "commit")
    assert f"after {convergence['held_s']:.1f} s of standstill" in found.said
    phases = {phase["name"]: phase for phase in found.documents["loadgen"]["phases"]}
    assert list(phases) == ["warmup", "load", "hold", "convergence", "verification"]
    hold = phases["hold"]
    assert hold["ended_at"] - hold["started_at"] >= 1
    assert found.documents["hold"]["state"] == "going on"
    # Whatever was left in the hold was left when projectors went on: not before the writers had stopped.
    samples = [json.loads(line) for line in found.texts["samples.jsonl"].splitlines()]
    assert max(sample["backlog"] for sample in samples if sample["phase"] == "hold") <= convergence["events"]


def test_the_warm_up_is_left_out_of_every_number(ends: dict[str, Any]) -> None:
    found: End = end(ends, "parallel")
    acknowledged = found.documents["loadgen"]["acknowledged"]
    written = acknowledged["creates"] + acknowledged["updates"] + acknowledged["deletes"]
    # Events of the load phase: the users' writes that were measured, and those of the probe, which also writes in the
    # hold, however long that lasts, and counts for staleness only what was acknowledged in the load phase.
    probe = found.result["staleness"]["writes"]
    samples = found.documents["verification"]["projected_samples"]
    assert samples < written
    # A write in the air when the phase begins is an event of one side and an answer of the other.
    assert abs(samples - found.result["throughput"]["actions"] - probe) <= 2 * int(SHORT["VUS"])


def test_what_was_seen_beside_a_run_is_told_by_part(ends: dict[str, Any]) -> None:
    found: End = end(ends, "parallel")
    used, others = found.result["resources"], found.result["neighbours"]
    assert {"api", "projector-1", "postgres", "generator"} <= set(used["cpu_percent"])
    assert all(each["mean"] > 0 for each in used["cpu_percent"].values())
    assert {"api", "projector"} <= set(used["postgres_cpu_percent"])
    # What the parts used and what others used is no more than there is, but for hundredths of a second.
    parts = sum(each["mean"] for each in used["cpu_percent"].values()) / 100 / used["cores"]
    assert 0 < parts < 1.1
    assert used["wal_bytes_per_event"] > 100
    assert used["commits_per_event"] > 0
    assert (used["reason"], others["reason"]) == ("", "")
    assert set(others["by_phase"]) >= {"load"}
    assert others["cpu_share"] == others["by_phase"][others["phase"]]
    looked = [line for line in map(json.loads, found.texts["resources.jsonl"].splitlines()) if line["tables"]]
    assert all(
        looked[0]["memory_bytes"][part] > 1e6 for part in ("api", "projector-1", "postgres", "generator", "bench")
    )
    assert looked[0]["tables"]["events"]["index_bytes"] > 0


def test_a_given_server_of_this_machine_is_no_neighbour(ends: dict[str, Any]) -> None:
    given: End = end(ends, "killed projector, then serial")[1]
    assert given.result["resources"]["cpu_percent"]["postgres"]["mean"] > 0
    assert given.result["neighbours"]["reason"] == ""


def test_an_embedded_postgres_is_durable_and_a_given_one_is_told_as_it_is(ends: dict[str, Any]) -> None:
    embedded: End = end(ends, "parallel")
    settings = embedded.documents["postgres"]["settings"]
    assert (settings["fsync"], settings["synchronous_commit"]) == ("on", "on")
    given: End = end(ends, "killed projector, then serial")[1]
    assert given.documents["postgres"]["source"] == "DATABASE_URL"
    assert "not durable" in given.texts["report.html"]
    assert given.result["settings"]["DATABASE_URL"].startswith("postgresql://***@")


def test_a_database_that_is_not_empty_is_checked_as_a_whole(ends: dict[str, Any]) -> None:
    killed, serial = end(ends, "killed projector, then serial")
    before, after = killed.result["correctness"], serial.result["correctness"]
    assert (killed.result["mode"], serial.result["mode"]) == ("parallel", "serial")
    # Those of the check before the run are in the log, too, and were acknowledged to nobody who reads back.
    checks = serial.documents["contract"]["events_left"]
    assert checks > 0
    assert after["events_checked"] == before["events_checked"] + after["acknowledged_checked"] + checks


def test_a_projector_that_is_killed_is_taken_over_from_and_the_time_is_told(ends: dict[str, Any]) -> None:
    killed: End = end(ends, "killed projector, then serial")[0]
    fault = killed.documents["fault"]
    assert fault["hit"]
    assert fault["healed_at"] > fault["invoked_at"]
    takeover = fault["takeover"]
    assert takeover["leases_held"] > 0
    assert takeover["takeover_s"] > 0
    assert takeover["taken_over_by"].startswith("projector-1-replacement")
    told = f"in the load phase projector-1 was killed (SIGKILL) with {takeover['leases_held']} lease(s)"
    assert told in killed.texts["report.html"]
    told = f"its work was taken over after {takeover['takeover_s']:.1f} s"
    assert told in killed.texts["report.html"]


@pytest.mark.parametrize(("sign", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupted_run_leaves_a_bundle_that_says_so_and_nothing_else(
    sign: str, code: int, ends: dict[str, Any]
) -> None:
    found: End = end(ends, sign)
    assert found.code == code, found.said
    assert found.clean
    assert (found.result["verdict"], found.result["why"]) == ("invalid", f"interrupted by {sign}")
    assert found.result["throughput"]["actions"] == 0
    assert f"interrupted by {sign}" in found.texts["report.html"]
    assert f"interrupted by {sign}" in found.said
    assert "Traceback" not in found.said


def test_nothing_outlives_a_bench_that_is_killed(ends: dict[str, Any]) -> None:
    found: End = end(ends, "bench killed")
    assert found.code == -signal.SIGKILL
    assert found.clean


def test_an_interrupted_hold_leaves_no_process_frozen_and_a_result_that_says_so(ends: dict[str, Any]) -> None:
    found: End = end(ends, "SIGINT in the hold")
    assert found.code == 130, found.said
    assert found.clean
    assert (found.result["verdict"], found.result["why"]) == ("invalid", "interrupted by SIGINT")


def test_no_process_stays_frozen_when_the_bench_is_killed_in_the_hold(ends: dict[str, Any]) -> None:
    found: End = end(ends, "killed in the hold")
    assert found.code == -signal.SIGKILL
    assert found.clean


def test_an_api_that_dies_makes_the_run_invalid_with_the_tail_of_its_log(ends: dict[str, Any]) -> None:
    found: End = end(ends, "api killed")
    assert found.code == 1, found.said
    assert found.clean
    assert found.result["verdict"] == "invalid"
    first, *log = found.result["why"].splitlines()
    assert first == "api ended with signal SIGKILL"
    assert any('"service"' in line or "uvicorn" in line.lower() for line in log), log
    assert first in found.said


def test_each_run_has_a_folder_of_its_own(ends: dict[str, Any]) -> None:
    names = {end(ends, name).result["run_id"] for name in ("parallel", "SIGINT", "SIGTERM", "api killed")}
    assert len(names) == 4
    assert all(Path(name).name == name for name in names)
