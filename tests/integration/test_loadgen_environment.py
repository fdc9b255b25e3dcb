"""The load generator started by hand, where its user has settings of their own for Locust."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from services.loadgen.worker import command
from settings.children import PYTHON
from tests.acceptance.hostile import VARIABLES, home, project
from tests.fakes.todo_server import FakeTodoServer
from tests.integration.loadgen_process import ROOT, SHORT, finish

LEFT_OUT = ("RUN_ID", "LD_PRELOAD")


@pytest.mark.parametrize("workers", ["0", "2"])
async def test_a_run_is_what_its_settings_say(workers: str, tmp_path: Path) -> None:
    hostile = {name: value for name, value in VARIABLES.items() if name not in LEFT_OUT}
    told = {**SHORT, "RESULTS_DIR": "results", "LOADGEN_WORKERS": workers, "PYTHONPATH": str(ROOT)}
    folder = project(tmp_path / "project")
    async with FakeTodoServer() as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "services.loadgen"),
            cwd=folder,
            env=PYTHON.environment(
                {**hostile, **told, "BASE_URL": server.base_url, "HOME": str(home(tmp_path / "home"))}
            ),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        finished = await finish(process, folder / "results")
    assert finished.code == 0, finished.said
    assert finished.document["verdict"] == "converged"
    assert max(sample["users"] for sample in finished.samples) == int(SHORT["VUS"])
    assert (folder / "results" / "locust.html").exists()


def test_a_worker_imports_nothing_from_where_it_is_started() -> None:
    assert command("127.0.0.1:5557")[1:4] == ["-P", "-m", "locust"]
