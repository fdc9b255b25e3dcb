"""The load generator as a process against a small server of the contract: every verdict comes out, for its reason."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram

from metrics.results import Convergence, Correctness, Distribution, Generator, Latency, Throughput, Visibility
from tests.fakes.todo_server import FakeTodoServer, Fault
from tests.integration.loadgen_process import run


async def test_a_sound_server_converges_and_leaves_the_whole_bundle(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        found = await run(server, tmp_path)
    assert found.code == 0, found.said
    document = found.document
    assert (document["verdict"], document["why"]) == ("converged", "")
    assert Throughput.from_dict(document["throughput"]).actions > 50
    assert Latency.from_dict(document["latency_ms"]).reads.p99 > 0
    assert Visibility.from_dict(document["visibility_ms"]).samples > 10
    assert Generator.from_dict(document["generator"]).achieved_rate > 50
    for gauge in ("projection_lag", "event_id_lag", "backlog"):
        assert Distribution.from_dict(document[gauge]).final == 0
    names = [phase["name"] for phase in document["phases"]]
    assert names == ["warmup", "load", "convergence", "verification"]
    for before, after in pairwise(document["phases"]):
        assert before["started_at"] < before["ended_at"] == after["started_at"]
    # The confirmation by the readers is not part of the time.
    waited = document["phases"][2]["ended_at"] - document["phases"][2]["started_at"]
    assert 0 < Convergence.from_dict(document["convergence"]).time_s < waited
    assert document["settings"]["VUS"] == 20


async def test_every_acknowledged_write_of_a_sound_run_is_checked(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        document = (await run(server, tmp_path)).document
        assert server.drains > 0
    acknowledged = document["acknowledged"]
    assert acknowledged["indeterminate"] == 0
    assert document["correctness"]["acknowledged_missing"] == 0
    # All of the ledger, and the creates of the probe, which its updates follow.
    total = acknowledged["creates"] + acknowledged["updates"] + acknowledged["deletes"]
    assert document["correctness"]["acknowledged_checked"] == total + 20 == server.committed


async def test_the_files_beside_the_result_can_be_read(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        found = await run(server, tmp_path)
    counts = {"actions": "actions", "reads": "reads"}
    for name, field in counts.items():
        histogram = HdrHistogram.decode((tmp_path / f"{name}.hdr").read_text().strip().encode())
        assert histogram.get_total_count() == found.document["throughput"][field]
    histogram = HdrHistogram.decode((tmp_path / "visibility.hdr").read_text().strip().encode())
    assert histogram.get_total_count() == found.document["visibility_ms"]["samples"]
    assert (tmp_path / "locust.html").stat().st_size > 1000
    assert (tmp_path / "locust_stats.csv").read_text().startswith("Type,Name")
    assert (tmp_path / "acknowledged.jsonl").read_text() == ""
    assert {sample["phase"] for sample in found.samples} >= {"load"}
    assert any(sample["visibility_p50_ms"] for sample in found.samples)
    assert found.said.count("actions") == len(found.samples)


@pytest.mark.parametrize(
    ("fault", "verdict", "why"),
    [
        ("lose", "diverged", "expected"),
        ("duplicate", "diverged", "events projected"),
        ("forget", "diverged", "not in the final read"),
        ("stuck", "timed_out", "backlog still"),
        ("block", "blocked", "planted"),
        ("fail", "invalid", "failed"),
        ("vanish", "invalid", "gave no statistics"),
    ],
)
async def test_a_planted_fault_gets_its_verdict(fault: Fault, verdict: str, why: str, tmp_path: Path) -> None:
    async with FakeTodoServer(fault) as server:
        found = await run(server, tmp_path)
    assert found.code == 1
    assert found.document["verdict"] == verdict, found.said
    assert why in found.document["why"]


async def test_what_the_oracle_misses_is_kept_as_evidence(tmp_path: Path) -> None:
    async with FakeTodoServer("forget") as server:
        found = await run(server, tmp_path)
    faults = [json.loads(line) for line in (tmp_path / "acknowledged.jsonl").read_text().splitlines()]
    assert faults
    correctness = Correctness.from_dict(found.document["correctness"])
    assert sum(fault["missing"] for fault in faults) == correctness.acknowledged_missing
    assert all(fault["stream"] in server.streams for fault in faults)


async def test_a_write_whose_answer_was_lost_may_have_happened(tmp_path: Path) -> None:
    async with FakeTodoServer("drop", every=50) as server:
        found = await run(server, tmp_path)
    assert found.document["verdict"] == "converged", found.said
    assert found.document["acknowledged"]["indeterminate"] > 0
    assert found.document["correctness"]["acknowledged_missing"] == 0


async def test_the_open_loop_keeps_its_rate(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        found = await run(server, tmp_path, RATE="100")
    assert found.document["verdict"] == "converged", found.said
    assert found.document["generator"]["target_rate"] == 100
    assert found.document["generator"]["achieved_rate"] == pytest.approx(100, rel=0.05)


async def test_a_missed_rate_is_invalid(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        found = await run(server, tmp_path, RATE="20000", VUS="2")
    assert found.document["verdict"] == "invalid"
    assert "missed its rate" in found.document["why"]


@pytest.mark.parametrize("scenario", ["actions", "reads", "scaling", "combined"])
async def test_every_scenario_converges(scenario: str, tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        found = await run(server, tmp_path, SCENARIO=scenario, WRITE_RATIO="0.6")
    assert found.document["verdict"] == "converged", found.said
    throughput = Throughput.from_dict(found.document["throughput"])
    assert (throughput.actions == 0) == (scenario == "reads")
    assert (throughput.reads == 0) == (scenario == "actions")


@pytest.mark.parametrize("ratio", ["0", "1"])
async def test_all_users_may_read_and_all_may_write(ratio: str, tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        found = await run(server, tmp_path, WRITE_RATIO=ratio)
    assert found.document["verdict"] == "converged", found.said


async def test_the_seed_repeats_the_operations_of_each_user(tmp_path: Path) -> None:
    told: list[list[str]] = []
    for number in range(2):
        async with FakeTodoServer() as server:
            await run(server, tmp_path / str(number), VUS="1", WRITE_RATIO="1", SEED="7", SCENARIO="throughput")
            told.append([entry for entry in server.log if not entry.endswith("probe")])
    shorter = min(map(len, told))
    assert shorter > 10
    assert told[0][:shorter] == told[1][:shorter]


async def test_a_backlog_from_before_refuses_the_run(tmp_path: Path) -> None:
    async with FakeTodoServer("stuck") as server:
        server.writes = 1000
        server.preload(1)
        found = await run(server, tmp_path)
    assert found.document["verdict"] == "invalid"
    assert "is a projector running?" in found.document["why"]


async def test_todos_from_before_are_no_trouble(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        server.preload(2500)
        found = await run(server, tmp_path)
    assert found.document["verdict"] == "converged", found.said
