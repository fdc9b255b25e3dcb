"""One InfluxDB, and five short runs in it: a real one of the whole system, and four against the small server."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from metrics.records.result import Result, read_result
from tests.cluster import Cluster
from tests.fakes.todo_server import FakeTodoServer
from tests.integration.influx.engine import Engine
from tests.integration.loadgen_process import ROOT, Finished, run

SHORT = {"VUS": "10", "DURATION": "2s", "WARMUP": "1s", "CONVERGENCE_MAX": "20s", "THINK_TIME_MS": "100"}

WHOLE_WITHIN_S = 300.0
"""Four runs at once, one of them of a whole system with its own Postgres, on a machine that may be busy with others."""


@dataclass(frozen=True)
class Runs:
    """What was run: the names of the runs, what the bench's one left, and the load generator's own sound one."""

    engine: Engine
    bench_said: str
    bench_folder: Path
    serial: Finished

    @property
    def result(self) -> Result:
        """The result of the whole system's run."""
        return read_result(self.bench_folder / "result.json")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An InfluxDB of the whole session."""
    with Engine.throwaway(tmp_path_factory.mktemp("influxdb")) as running:
        yield running


@pytest.fixture(scope="session")
def runs(engine: Engine, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """All the runs at once; none of them has to be fast."""
    return asyncio.run(_run(engine, cluster.create(migrated=False), tmp_path_factory.mktemp("runs")))


async def _run(engine: Engine, url: str, folder: Path) -> Runs:
    whole, serial, *_ = await asyncio.gather(
        _bench(engine, url, folder),
        _loadgen(engine, folder / "serial", FakeTodoServer("drop", every=25, serial=True)),
        _loadgen(engine, folder / "diverged", FakeTodoServer("lose")),
        # Only who does not keep up has a speed of convergence.
        _loadgen(engine, folder / "slow", FakeTodoServer("slow")),
    )
    return Runs(engine, whole, (folder / "latest").resolve(), serial)


async def _bench(engine: Engine, url: str, folder: Path) -> str:
    kept: dict[str, Any] = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench", "run", "throughput", "--mode", "parallel", "--results", str(folder)),
        cwd=ROOT,
        env={
            **kept,
            **SHORT,
            "HOLD": "1s",
            "DATABASE_URL": url,
            **engine.settings,
            "GRAFANA_URL": "http://grafana.example:3000",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(WHOLE_WITHIN_S):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def _loadgen(engine: Engine, folder: Path, server: FakeTodoServer) -> Finished:
    async with server:
        return await run(server, folder, **SHORT, **engine.settings, RUN_ID=f"by hand, {folder.name}")
