"""The load generator as a process, short runs of it, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.todo_server import FakeTodoServer

ROOT = Path(__file__).parents[2]
PATIENCE_S = 240.0
"""Generous, for other tests may keep the machine busy; a run of these takes seconds."""
SHORT = {
    **{"VUS": "20", "DURATION": "2s", "WARMUP": "500ms", "CONVERGENCE_MAX": "6s", "THINK_TIME_MS": "100"},
    # Nobody leads these runs who could let projectors stand still.
    "HOLD": "0",
}


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
    try:
        async with asyncio.timeout(PATIENCE_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return Finished(process.returncode, said.decode(), folder)


async def run(server: FakeTodoServer, folder: Path, **variables: str) -> Finished:
    return await finish(await start(server.base_url, folder, **variables), folder)


async def started(server: FakeTodoServer, folder: Path) -> asyncio.subprocess.Process:
    """A load generator with a long way to go, in its load phase."""
    process = await start(server.base_url, folder, DURATION="60s")
    await until_said(process, "load ")
    return process


async def until_said(process: asyncio.subprocess.Process, word: str) -> str:
    """All that the process prints until a line has the word."""
    said: list[str] = []
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while word not in "".join(said[-1:]):
            line = await process.stdout.readline()
            assert line, f"ended before it said {word!r}: {said}"
            said.append(line.decode())
    return "".join(said)
