"""The bench as a person starts it: a process, its bundle, and whatever it might leave behind."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 120.0
GONE_WITHIN_S: Final = 20.0
LOOK_S: Final = 0.1
SHORT: Final = {"VUS": "30", "DURATION": "3s", "WARMUP": "1s"}
LONG: Final = {"VUS": "20", "DURATION": "120s", "WARMUP": "0s"}
KEPT: Final = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")


@dataclass
class Bench:
    """One `python -m bench`. What it starts has its temporary files in the scratch folder, and is known by that."""

    process: asyncio.subprocess.Process
    results: Path
    scratch: Path
    offspring: list[psutil.Process] = field(default_factory=list)
    said: str = ""

    @property
    def code(self) -> int | None:
        """The exit code, once it has ended."""
        return self.process.returncode

    @property
    def bundle(self) -> Path:
        """The one bundle that it left."""
        (folder,) = (path for path in self.results.iterdir() if not path.is_symlink())
        return folder

    def document(self, name: str = "result.json") -> dict[str, Any]:
        """A document of the bundle."""
        return dict(json.loads((self.bundle / name).read_text()))

    async def ended(self) -> None:
        """Wait for its end, and take what it said."""
        async with asyncio.timeout(PATIENCE_S):
            told, _ = await self.process.communicate()
        self.said += told.decode()

    async def in_phase(self, phase: str) -> None:
        """Wait until a sample of the phase is written, and note all processes that live then."""
        await until(lambda: any(f'"phase": "{phase}"' in path.read_text() for path in self._samples()), self)
        self.offspring = psutil.Process(self.process.pid).children(recursive=True)

    def part(self, words: str) -> psutil.Process:
        """The process that was started with these words in its command line, the oldest of them."""
        found = [process for process in self.offspring if words in " ".join(process.cmdline())]
        return min(found, key=lambda process: process.create_time())

    async def nothing_left(self) -> bool:
        """True once no process of it lives and no scratch folder is there."""
        with suppress(TimeoutError):
            await until(lambda: not self.left(), within_s=GONE_WITHIN_S)
        assert not self.left()
        return True

    def left(self) -> list[str]:
        """What is left of it: processes, and files in its scratch folder."""
        return [*map(str, self.alive()), *(path.name for path in self.scratch.iterdir())]

    def alive(self) -> list[psutil.Process]:
        """Processes of it that still live."""
        known = [process for process in self.offspring if process.is_running() and not _is_zombie(process)]
        return known + [process for process in psutil.process_iter() if _is_of(process, self.scratch)]

    def _samples(self) -> list[Path]:
        return list(self.results.glob("*/samples.jsonl"))


def _is_zombie(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def _is_of(process: psutil.Process, scratch: Path) -> bool:
    with suppress(psutil.Error, OSError):
        return Path(process.environ().get("TMPDIR", "/")).is_relative_to(scratch)
    return False


async def until(condition: Callable[[], bool], bench: Bench | None = None, within_s: float = PATIENCE_S) -> None:
    """Wait for a condition, not for ever; for one of a running bench, not beyond its end."""
    async with asyncio.timeout(within_s):
        while not condition():
            if bench is not None and bench.code is not None:
                await bench.ended()
                raise AssertionError(f"it ended with {bench.code} and said: {bench.said}")
            await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def bench(*arguments: str, cwd: str = str(ROOT), **variables: str) -> AsyncIterator[Bench]:
    """Start the bench. It is gone with all that it started at the end of the block, whatever it did."""
    # Not pytest's folder: Postgres may run as another user, who must be able to enter.
    base = Path(tempfile.mkdtemp(prefix="tidemark-test-"))
    os.chmod(base, 0o755)
    results, scratch = base / "results", base / "scratch"
    os.mkdir(scratch)
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    # A stack of this name is never up, so a run stays embedded on whatever machine.
    env |= {"TMPDIR": str(scratch), "COLUMNS": "120", "COMPOSE_PROJECT_NAME": "none-of-ours", **variables}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench", *arguments),
        *(() if arguments[0] in ("dev", "ui") else ("--results", str(results))),
        cwd=cwd,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    started = Bench(process, results, scratch)
    try:
        yield started
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await started.ended()
        for left in started.alive():
            with suppress(psutil.NoSuchProcess):
                left.kill()
        shutil.rmtree(base, ignore_errors=True)
