"""The bench as a person starts it: a process, its bundle, and whatever it might leave behind."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 120.0
GONE_WITHIN_S: Final = 20.0
LOOK_S: Final = 0.1
SHORT: Final = {"VUS": "12", "DURATION": "3s", "WARMUP": "1s", "HOLD": "0"}
HELD: Final = {**SHORT, "HOLD": "1s"}
LONG: Final = {"VUS": "5", "DURATION": "120s", "WARMUP": "0s"}
FAKE: Final = str(ROOT / "tests" / "fakes" / "target")
"""A target for runs in which our own system is not the subject: it starts in a third of the time."""
BENCH: Final = (sys.executable, "-m", "bench")
KEPT: Final = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")


@dataclass(frozen=True)
class How:
    """What stands in for `python -m bench`, and where its bundles go if not beside its scratch folder."""

    line: Sequence[str] = BENCH
    results: Path | None = None
    cwd: str = str(ROOT)


@dataclass
class Bench:
    """One `python -m bench`. What it starts has its temporary files in the scratch folder, and is known by that."""

    process: asyncio.subprocess.Process
    results: Path
    scratch: Path
    offspring: list[psutil.Process] = field(default_factory=list)
    shared: set[str] = field(default_factory=set)
    said: str = ""

    def __post_init__(self) -> None:
        self._itself = psutil.Process(self.process.pid)

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

    def send(self, sign: signal.Signals) -> None:
        """Send it a signal, if it lives.

        Not by asyncio, which looks first whether the process has ended: so it takes away the exit code of one that just
        did from whoever waits for it, who then hears of 255.
        """
        with suppress(psutil.NoSuchProcess):
            self._itself.send_signal(sign)

    async def ended(self) -> None:
        """Wait for its end, and take what it said."""
        async with asyncio.timeout(PATIENCE_S):
            told, _ = await self.process.communicate()
        self.said += told.decode()

    async def in_phase(self, phase: str) -> None:
        """Wait until a sample of the phase is written, and note all processes that live then."""
        await until(lambda: any(f'"phase": "{phase}"' in path.read_text() for path in self._samples()), self)
        self.note_offspring()

    async def says(self, words: str) -> None:
        """Wait until it prints a line with the words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while words not in self.said:
                line = await self.process.stdout.readline()
                assert line, f"it ended and said: {self.said}"
                self.said += line.decode()

    def note_offspring(self) -> None:
        """Remember all processes that live now, and the shared memory that they have."""
        self.offspring = psutil.Process(self.process.pid).children(recursive=True)
        self.shared = {found for process in self.offspring for found in shared_memory(process.pid)}

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
        # uv has a lock of its own in the temporary folder.
        files = [path.name for path in self.scratch.iterdir() if not path.match("uv-*.lock")]
        return [*map(str, self.alive()), *files, *(self.shared & living_memory())]

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


def shared_memory(pid: int) -> set[str]:
    """The segments that a process maps: a file of /dev/shm, or the number of one of System V."""
    found = set()
    with suppress(OSError):
        for fields in map(str.split, Path(f"/proc/{pid}/maps").read_text().splitlines()):
            if len(fields) > 5 and fields[5].startswith("/dev/shm/"):
                found.add(fields[5])
            elif len(fields) > 5 and fields[5].startswith("/SYSV"):
                found.add(fields[4])
    return found


def living_memory() -> set[str]:
    """All segments of this machine."""
    numbers = [line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    return {*map(str, Path("/dev/shm").iterdir()), *numbers}


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
    """`python -m bench` with these arguments, started."""
    async with started(How(cwd=cwd), *arguments, **variables) as ran:
        yield ran


@asynccontextmanager
async def started(how: How, *arguments: str, **variables: str) -> AsyncIterator[Bench]:
    """Start the bench. It is gone with all that it started at the end of the block, whatever it did."""
    # Not pytest's folder: Postgres may run as another user, who must be able to enter.
    base = Path(tempfile.mkdtemp(prefix="tidemark-test-"))
    os.chmod(base, 0o755)
    results, scratch = how.results or base / "results", base / "scratch"
    os.mkdir(scratch)
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    # A stack of this name is never up, so a run stays embedded on whatever machine.
    env |= {"TMPDIR": str(scratch), "COLUMNS": "120", "COMPOSE_PROJECT_NAME": "none-of-ours", **variables}
    process = await asyncio.create_subprocess_exec(
        *how.line,
        *arguments,
        *(() if arguments[0] in ("dev", "ui") else ("--results", str(results))),
        cwd=how.cwd,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    ran = Bench(process, results, scratch)
    try:
        yield ran
    finally:
        if process.returncode is None:
            ran.send(signal.SIGTERM)
            with suppress(TimeoutError):
                await ran.ended()
        for left in ran.alive():
            with suppress(psutil.NoSuchProcess):
                left.kill()
        shutil.rmtree(base, ignore_errors=True)
