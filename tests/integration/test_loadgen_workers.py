"""A run with workers: the master judges what their users did as if its own had done it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from settings.catalogue.load import HOTTEST
from tests.fakes.todo_server import FakeTodoServer
from tests.integration.loadgen_process import finish, run, start, until_said

WORKERS = {"LOADGEN_WORKERS": "2"}


@pytest.mark.parametrize("variables", [{}, {"RATE": "150", "SKEW": "0.8"}], ids=str)
async def test_the_master_counts_what_the_workers_did(tmp_path: Path, variables: dict[str, str]) -> None:
    async with FakeTodoServer() as server:
        finished = await run(server, tmp_path, **WORKERS, **variables)
    assert finished.code == 0, finished.said
    document = finished.document
    assert document["verdict"] == "converged"
    assert document["correctness"]["acknowledged_checked"] == server.projected
    assert document["correctness"]["acknowledged_missing"] == 0
    assert document["throughput"]["actions"] > 0
    assert document["throughput"]["reads"] > 0
    assert document["throughput"]["errors"] == 0
    assert document["latency_ms"]["actions"]["p50"] > 0
    assert document["generator"]["cpu_us_per_request"] > 0
    assert max(sample["users"] for sample in finished.samples) == 20
    if "SKEW" in variables:
        assert server.share_of_the_hottest(HOTTEST) == pytest.approx(0.8, abs=0.15)


async def test_what_a_server_lost_is_found(tmp_path: Path) -> None:
    async with FakeTodoServer(fault="forget") as server:
        finished = await run(server, tmp_path, **WORKERS)
    assert (finished.code, finished.document["verdict"]) == (1, "diverged"), finished.said
    assert finished.document["correctness"]["acknowledged_missing"] > 0


async def test_lost_answers_are_indeterminate(tmp_path: Path) -> None:
    async with FakeTodoServer(fault="drop") as server:
        finished = await run(server, tmp_path, **WORKERS)
    assert finished.document["verdict"] in ("converged", "invalid"), finished.said
    assert finished.document["correctness"]["acknowledged_missing"] == 0
    assert finished.document["acknowledged"]["indeterminate"] > 0


async def test_a_worker_that_dies_makes_the_run_invalid(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        process = await start(server.base_url, tmp_path, DURATION="60s", **WORKERS)
        await until_said(process, "load ")
        children = psutil.Process(process.pid).children(recursive=True)
        victim = next(child for child in children if "--worker" in child.cmdline())
        os.kill(victim.pid, signal.SIGKILL)
        finished = await finish(process, tmp_path)
    assert finished.code == 1
    assert finished.document["verdict"] == "invalid"
    assert finished.document["why"] == "1 of 2 workers of the load generator fell silent"
    assert not any(child.is_running() for child in children)
