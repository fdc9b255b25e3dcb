"""However a run of the load generator ends, its result is written and nothing is left running."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from bench.platforms.postgres.cluster import free_port
from tests.fakes.todo_server import FakeTodoServer
from tests.integration.loadgen_process import PATIENCE_S, ROOT, SHORT, finish, start, started, until_said


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_an_interrupted_run_writes_what_it_saw_and_leaves_nothing_running(
    sign: signal.Signals, tmp_path: Path
) -> None:
    async with FakeTodoServer() as server:
        process = await started(server, tmp_path)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 2
        process.send_signal(sign)
        run_ = await finish(process, tmp_path)
    assert run_.code == 1
    assert (run_.document["verdict"], run_.document["why"]) == ("invalid", f"interrupted by {sign.name}")
    assert run_.document["throughput"]["actions"] > 0
    assert not any(child.is_running() for child in children)


@pytest.mark.parametrize("victim", ["locust", "probe"])
async def test_a_child_that_dies_makes_the_run_invalid(victim: str, tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        process = await started(server, tmp_path)
        for child in psutil.Process(process.pid).children():
            if victim in " ".join(child.cmdline()):
                child.kill()
        run_ = await finish(process, tmp_path)
    assert run_.code == 1
    assert run_.document["verdict"] == "invalid"
    assert "process ended with exit code -9" in run_.document["why"]


async def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        process = await started(server, tmp_path)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        await finish(process, tmp_path / "never")
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=PATIENCE_S)
    assert alive == []


async def test_a_server_that_is_not_ready_is_told_with_its_reason(tmp_path: Path) -> None:
    async with FakeTodoServer(unready="the schema is missing") as server:
        run = await finish(await start(server.base_url, tmp_path), tmp_path)
    assert run.code == 2
    assert "the schema is missing" in run.said


async def locust(base_url: str, *options: str) -> asyncio.subprocess.Process:
    """Locust as a person starts it, without the supervisor."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "locust", "-f", "services/loadgen/locustfile.py", *options),
        cwd=ROOT,
        env={**kept, **SHORT, "BASE_URL": base_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_the_locustfile_alone_gives_a_verdict_under_the_web_interface(tmp_path: Path) -> None:
    web = ("--web-host", "127.0.0.1", "--web-port", str(free_port()), "--autostart")
    async with FakeTodoServer() as server:
        process = await locust(server.base_url, *web, "--users", "6", "--spawn-rate", "6")
        said = await until_said(process, "verdict")
        process.terminate()
        run = await finish(process, tmp_path)
    assert "verdict converged" in said
    assert "phase convergence" in said
    assert "Traceback" not in said + run.said


@pytest.mark.parametrize(
    "variables",
    [
        {"VUS": "-1"},
        {"DURATION": "abc"},
        {"WRITE_RATIO": "2"},
        {"BASE_URL": "http://127.0.0.1:1"},
        {"LOADGEN_LISTEN": "5557"},
    ],
)
async def test_a_bad_setting_ends_at_once_with_one_line(variables: dict[str, str], tmp_path: Path) -> None:
    run_ = await finish(await start("http://127.0.0.1:9", tmp_path, **variables), tmp_path)
    assert run_.code == 2
    (line,) = run_.said.strip().splitlines()
    assert line.startswith(next(iter(variables)) + "=")
    assert os.listdir(tmp_path) == []


async def test_requests_that_fail_for_want_of_open_files_say_so(tmp_path: Path) -> None:
    few = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh", sys.executable, "-m", "services.loadgen")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    async with FakeTodoServer() as server:
        env = {**kept, **SHORT, "VUS": "100", "BASE_URL": server.base_url, "RESULTS_DIR": str(tmp_path)}
        process = await asyncio.create_subprocess_exec(
            *few, cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        run_ = await finish(process, tmp_path)
    assert run_.code == 1
    assert run_.document["verdict"] == "invalid"
    assert "Too many open files" in run_.document["why"]
    assert "ulimit -n" in run_.document["why"]


async def test_a_run_goes_on_without_samples_that_can_not_be_written_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").symlink_to("/dev/full")
    async with FakeTodoServer() as server:
        run_ = await finish(await start(server.base_url, tmp_path, DURATION="1s"), tmp_path)
    assert (run_.code, run_.document["verdict"]) == (0, "converged"), run_.said
    assert run_.document["missing"] == {"samples.jsonl": "No space left on device"}
    assert "Traceback" not in run_.said


async def test_a_part_that_stands_still_holds_up_no_end(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        process = await started(server, tmp_path)
        children = psutil.Process(process.pid).children(recursive=True)
        for child in children:
            child.suspend()
        process.terminate()
        run_ = await finish(process, tmp_path)
    assert (run_.code, run_.document["why"]) == (1, "interrupted by SIGTERM")
    assert not any(child.is_running() for child in children)
