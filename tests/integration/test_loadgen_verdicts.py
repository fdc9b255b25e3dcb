"""The load generator as a process against a small server of the contract: every verdict comes out, for its reason."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from hdrh.histogram import HdrHistogram

from metrics.results import Convergence, Correctness, Distribution, Generator, Latency, Throughput, Visibility
from tests.fakes.todo_server import FakeTodoServer, Fault

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
SHORT = {"VUS": "20", "DURATION": "2s", "WARMUP": "500ms", "CONVERGENCE_MAX": "6s", "THINK_TIME_MS": "50"}


@dataclass
class Finished:
    """A load generator that has ended."""

    code: int
    said: str
    folder: Path

    @property
    def document(self) -> dict[str, Any]:
        """`loadgen.json`."""
        return dict(json.loads((self.folder / "loadgen.json").read_text()))

    @property
    def samples(self) -> list[dict[str, Any]]:
        """`samples.jsonl`."""
        return [json.loads(line) for line in (self.folder / "samples.jsonl").read_text().splitlines()]


async def start(base_url: str, folder: Path, **variables: str) -> asyncio.subprocess.Process:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    env = {**kept, **SHORT, "BASE_URL": base_url, "RESULTS_DIR": str(folder), **variables}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.loadgen"),
        cwd=ROOT,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def finish(process: asyncio.subprocess.Process, folder: Path) -> Finished:
    async with asyncio.timeout(PATIENCE_S):
        said, _ = await process.communicate()
    assert process.returncode is not None
    return Finished(process.returncode, said.decode(), folder)


async def run(server: FakeTodoServer, folder: Path, **variables: str) -> Finished:
    return await finish(await start(server.base_url, folder, **variables), folder)


async def test_a_sound_server_converges_and_leaves_the_whole_bundle(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        run_ = await run(server, tmp_path)
    assert run_.code == 0, run_.said
    document = run_.document
    assert (document["verdict"], document["why"]) == ("converged", "")
    assert Throughput.from_dict(document["throughput"]).actions > 50
    assert Latency.from_dict(document["latency_ms"]).reads.p99 > 0
    assert Visibility.from_dict(document["visibility_ms"]).samples > 10
    assert Convergence.from_dict(document["convergence"]).time_s < 1
    assert Generator.from_dict(document["generator"]).achieved_rate > 50
    for gauge in ("projection_lag", "event_id_lag", "backlog"):
        assert Distribution.from_dict(document[gauge]).final == 0
    names = [phase["name"] for phase in document["phases"]]
    assert names == ["warmup", "load", "convergence", "verification"]
    for before, after in zip(document["phases"], document["phases"][1:], strict=False):
        assert before["started_at"] < before["ended_at"] == after["started_at"]
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
        run_ = await run(server, tmp_path)
    counts = {"actions": "actions", "reads": "reads"}
    for name, field in counts.items():
        histogram = HdrHistogram.decode((tmp_path / f"{name}.hdr").read_text().strip().encode())
        assert histogram.get_total_count() == run_.document["throughput"][field]
    histogram = HdrHistogram.decode((tmp_path / "visibility.hdr").read_text().strip().encode())
    assert histogram.get_total_count() == run_.document["visibility_ms"]["samples"]
    assert (tmp_path / "locust.html").stat().st_size > 1000
    assert (tmp_path / "locust_stats.csv").read_text().startswith("Type,Name")
    assert (tmp_path / "acknowledged.jsonl").read_text() == ""
    assert {sample["phase"] for sample in run_.samples} >= {"load"}
    assert any(sample["visibility_p50_ms"] for sample in run_.samples)
    assert run_.said.count("actions") == len(run_.samples)


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
        run_ = await run(server, tmp_path)
    assert run_.code == 1
    assert run_.document["verdict"] == verdict, run_.said
    assert why in run_.document["why"]


async def test_what_the_oracle_misses_is_kept_as_evidence(tmp_path: Path) -> None:
    async with FakeTodoServer("forget") as server:
        run_ = await run(server, tmp_path)
    faults = [json.loads(line) for line in (tmp_path / "acknowledged.jsonl").read_text().splitlines()]
    assert faults
    correctness = Correctness.from_dict(run_.document["correctness"])
    assert sum(fault["missing"] for fault in faults) == correctness.acknowledged_missing
    assert all(fault["stream"] in server.streams for fault in faults)


async def test_a_write_whose_answer_was_lost_may_have_happened(tmp_path: Path) -> None:
    async with FakeTodoServer("drop", every=50) as server:
        run_ = await run(server, tmp_path)
    assert run_.document["verdict"] == "converged", run_.said
    assert run_.document["acknowledged"]["indeterminate"] > 0
    assert run_.document["correctness"]["acknowledged_missing"] == 0


async def test_the_open_loop_keeps_its_rate(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        run_ = await run(server, tmp_path, RATE="100")
    assert run_.document["verdict"] == "converged", run_.said
    assert run_.document["generator"]["target_rate"] == 100
    assert run_.document["generator"]["achieved_rate"] == pytest.approx(100, rel=0.05)


async def test_a_missed_rate_is_invalid(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        run_ = await run(server, tmp_path, RATE="20000", VUS="2")
    assert run_.document["verdict"] == "invalid"
    assert "missed its rate" in run_.document["why"]


@pytest.mark.parametrize("scenario", ["actions", "reads", "scaling", "combined"])
async def test_every_scenario_converges(scenario: str, tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        run_ = await run(server, tmp_path, SCENARIO=scenario, WRITE_RATIO="0.6")
    assert run_.document["verdict"] == "converged", run_.said
    throughput = Throughput.from_dict(run_.document["throughput"])
    assert (throughput.actions == 0) == (scenario == "reads")
    assert (throughput.reads == 0) == (scenario == "actions")


@pytest.mark.parametrize("ratio", ["0", "1"])
async def test_all_users_may_read_and_all_may_write(ratio: str, tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        run_ = await run(server, tmp_path, WRITE_RATIO=ratio)
    assert run_.document["verdict"] == "converged", run_.said


async def test_the_seed_repeats_the_operations_of_each_user(tmp_path: Path) -> None:
    told: list[list[str]] = []
    for number in range(2):
        async with FakeTodoServer() as server:
            await run(server, tmp_path / str(number), VUS="1", WRITE_RATIO="1", SEED="7", SCENARIO="throughput")
            told.append([entry for entry in server.log if not entry.endswith("probe")])
    shorter = min(map(len, told))
    assert shorter > 10
    assert told[0][:shorter] == told[1][:shorter]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_run_writes_what_it_saw_and_leaves_nothing_running(
    sign: signal.Signals, tmp_path: Path
) -> None:
    async with FakeTodoServer() as server:
        process = await start(server.base_url, tmp_path, DURATION="60s")
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while b"load" not in (line := await process.stdout.readline()):
                assert line, "the load generator ended by itself"
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 2
        process.send_signal(sign)
        run_ = await finish(process, tmp_path)
    assert run_.code == 1
    assert (run_.document["verdict"], run_.document["why"]) == ("invalid", "interrupted")
    assert run_.document["throughput"]["actions"] > 0
    assert not any(child.is_running() for child in children)


@pytest.mark.parametrize("victim", ["locust", "probe"])
async def test_a_child_that_dies_makes_the_run_invalid(victim: str, tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        process = await start(server.base_url, tmp_path, DURATION="60s")
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while b"load" not in (line := await process.stdout.readline()):
                assert line, "the load generator ended by itself"
        for child in psutil.Process(process.pid).children():
            if victim in " ".join(child.cmdline()):
                child.kill()
        run_ = await finish(process, tmp_path)
    assert run_.code == 1
    assert run_.document["verdict"] == "invalid"
    assert "process ended with exit code -9" in run_.document["why"]


async def test_a_backlog_from_before_refuses_the_run(tmp_path: Path) -> None:
    async with FakeTodoServer("stuck") as server:
        server.writes = 1000
        server.preload(1)
        run_ = await run(server, tmp_path)
    assert run_.document["verdict"] == "invalid"
    assert "is a projector running?" in run_.document["why"]


async def test_todos_from_before_are_no_trouble(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        server.preload(2500)
        run_ = await run(server, tmp_path)
    assert run_.document["verdict"] == "converged", run_.said


@pytest.mark.parametrize(
    "variables", [{"VUS": "-1"}, {"DURATION": "abc"}, {"WRITE_RATIO": "2"}, {"BASE_URL": "http://127.0.0.1:1"}]
)
async def test_a_bad_setting_ends_at_once_with_one_line(variables: dict[str, str], tmp_path: Path) -> None:
    run_ = await finish(await start("http://127.0.0.1:9", tmp_path, **variables), tmp_path)
    assert run_.code == 2
    (line,) = run_.said.strip().splitlines()
    assert line.startswith(next(iter(variables)) + "=")
    assert os.listdir(tmp_path) == []
