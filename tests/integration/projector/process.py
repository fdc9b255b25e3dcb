"""`python -m services.projector` as a subprocess."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cluster import PATIENCE, as_role
from tests.integration.projector.stage import PATIENCE_S, Stage, until

ROOT: Final = Path(__file__).parents[3]
OPERATOR: Final = ("unblock", "skip", "reset", "recount", "positions")


def environment(url: str, **variables: str) -> dict[str, str]:
    """What the process is told, with nothing of the caller's settings in it."""
    paced = {"LEASE_SECONDS": "0.5", "POLL_MS": "20", **PATIENCE}
    return {"PATH": "/usr/bin:/bin", "DATABASE_URL": url, **paced, **variables}


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str


async def run(url: str, *arguments: str, **variables: str) -> Ended:
    """Run the module to its end. A rebuild is the owner's, who may make and drop tables."""
    command = arguments[0] if arguments else ""
    address = url if command == "rebuild" else as_role("operator" if command in OPERATOR else "projector", url)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.projector", *arguments),
        cwd=ROOT,
        env=environment(address, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@dataclass
class Running:
    """A projector's process and its log."""

    process: asyncio.subprocess.Process
    name: str
    log: Path

    def signal(self, number: signal.Signals) -> None:
        """Send the signal."""
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Wait for the end; returns the exit code."""
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    async def says(self, text: str) -> bool:
        """True when the log has the text."""
        assert self.process.returncode is None, self.log.read_text()
        return text in self.log.read_text()


@asynccontextmanager
async def projector(stage: Stage, log: Path, **variables: str) -> AsyncIterator[Running]:
    """A projector's process, started when the block begins, gone after it."""
    name = f"process-{next(stage.names)}"
    with log.open("w") as stream:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.projector"),
            cwd=ROOT,
            env=environment(as_role("projector", stage.url), PROJECTOR_NAME=name, **variables),
            stderr=stream,
        )
    running = Running(process, name, log)
    try:
        await until(lambda: running.says("projector started"), "the projector to start")
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
