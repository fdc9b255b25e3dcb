"""However a run ends, it is told as what it is, its summary is printed, its bundle is whole, and nothing is left.

They wait more than they work, so several go side by side, and each test looks at the end of one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.ends.guardian import Guardian
from settings.children import PROGRAM
from tests.acceptance.bench_process import BENCH, FAKE, LONG, Bench, How, bench, started, until

SIDE_BY_SIDE = 4
TINY = {"VUS": "10", "DURATION": "1s", "WARMUP": "0s", "HOLD": "0"}
UV = os.environ.get("UV") or shutil.which("uv") or ""
UVS = {name: value for name, value in os.environ.items() if name.startswith("UV_")}
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PHASES = ("starting Postgres", "starting the API", "folding every event again")
PLANT = """
import sys
from bench import __main__
from bench.trial import runner
def broken(*_): raise KeyError("planted")
runner._measure = broken
sys.exit(__main__.main())
"""
ASKING = """
import sys
from bench import __main__
from bench.trial import runner
from bench.oracle.database import connect
async def slow(urls):
    connection = await connect(urls[0])
    async with connection.transaction():
        print("asking", flush=True)
        await connection.fetchval("SELECT pg_sleep(600)")
runner.offsets = slow
sys.exit(__main__.main())
"""
LARGE = """
import sys
from bench import __main__
from bench.report import report
render = report.render
report.render = lambda folder: render(folder) + " " * 2**22
sys.exit(__main__.main())
"""
# Where no disk can be mounted, nothing larger than a mebibyte can be written.
CRAMPED = (
    """
import errno, os, pathlib, sys
write = pathlib.Path.write_text
def cramped(path, text, *rest, **more):
    if len(text) > 2**20: raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    return write(path, text, *rest, **more)
pathlib.Path.write_text = cramped
"""
    + LARGE
)


@dataclass
class End:
    """What is to be seen when all is over."""

    code: int | None
    said: str
    result: dict[str, Any]
    files: set[str]

    @classmethod
    async def of(cls, ran: Bench) -> End:
        await ran.ended()
        assert await ran.nothing_left()
        names = {path.name for path in ran.bundle.iterdir()}
        result = ran.document() if "result.json" in names else {}
        return cls(ran.code, ran.said, result, names)


async def by_uv(sign: signal.Signals, to: str, *frozen: str) -> End:
    """The README's command; a signal to uv, to Task, or to the group, while some parts are frozen."""
    async with started(How((UV, "run", "--no-sync", "task")), "bench:parallel", "--", **LONG, **UVS) as ran:
        await ran.in_phase("load")
        for words in frozen:
            ran.part(words).suspend()
        if to == "group":
            os.killpg(ran.process.pid, sign)
        else:
            psutil.Process(ran.process.pid if to == "uv" else ran.part("task bench:parallel").pid).send_signal(sign)
        return await End.of(ran)


async def in_phase(said: str) -> End:
    """A signal as soon as it says that, and then more of them."""
    async with bench("run", **TINY) as ran:
        await ran.says(said)
        for sign in (*ENDING, signal.SIGTERM):
            ran.send(sign)
            await asyncio.sleep(0.05)
        return await End.of(ran)


async def while_postgres_stands_still() -> End:
    """The bench itself waits for an answer of a server that stands still."""
    async with started(How((sys.executable, "-c", ASKING)), "run", **TINY) as ran:
        await ran.says("asking")
        ran.note_offspring()
        for part in ran.offspring:
            with suppress(psutil.Error):
                if "postgres" in part.name():
                    part.suspend()
        ran.send(signal.SIGTERM)
        return await End.of(ran)


async def killed_with_all_frozen() -> End:
    """The bench has no chance to end anything, and nothing that it started reacts."""
    async with bench("run", **LONG) as ran:
        await ran.in_phase("load")
        for part in ran.offspring:
            with suppress(psutil.Error):
                if "bench.ends.guardian" not in " ".join(part.cmdline()):
                    part.suspend()
        ran.send(signal.SIGKILL)
        return await End.of(ran)


PIDS = "tidemark-postgres-*/data/postmaster.pid"


async def perf() -> tuple[int | None, str]:
    """A measurement is told to end."""
    async with started(How((sys.executable, "-m", "bench.perf")), "append") as ran:
        await until(lambda: any("ready" in path.read_text() for path in ran.scratch.glob(PIDS)), ran)
        ran.note_offspring()
        ran.send(signal.SIGHUP)
        await ran.ended()
        assert await ran.nothing_left()
        return ran.code, ran.said


async def compare() -> End:
    """The first trial of a comparison is told to end."""
    async with bench("compare", **LONG) as ran:
        await ran.in_phase("load")
        ran.send(signal.SIGTERM)
        return await End.of(ran)


async def on_a_full_disk() -> End:
    """The disk has room for the documents, and not for the report."""
    with small_disk() as (folder, line):
        async with started(How(line, folder / "results"), "run", **TINY, TARGET=FAKE) as ran:
            return await End.of(ran)


async def unread() -> End:
    """Whoever reads the output goes away after the first line, and it is ASCII."""
    line = ("bash", "-c", '"$@" | head -1; exit ${PIPESTATUS[0]}', "bash", *BENCH)
    async with started(How(line), "run", **TINY, TARGET=FAKE, PYTHONIOENCODING="ascii") as ran:
        return await End.of(ran)


async def defect() -> End:
    """Something that should not happen."""
    async with started(How((sys.executable, "-c", PLANT)), "run", **TINY) as ran:
        return await End.of(ran)


@contextmanager
def small_disk() -> Iterator[tuple[Path, tuple[str, ...]]]:
    """A folder with little room, and the bench with a report of 4 MiB for it."""
    folder = Path(tempfile.mkdtemp(prefix="tidemark-test-disk-"))
    with Guardian() as guardian:
        # At the end of the block as where the tests are killed, and lazily: somebody may write there still.
        guardian.keep_clean(folder)
        guardian.run(["umount", "--lazy", str(folder)], PROGRAM.environment())
        mount = ["mount", "-t", "tmpfs", "-o", "size=2560k", "tmpfs", str(folder)]
        mounted = shutil.which("mount") and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        yield folder, (sys.executable, "-c", LARGE if mounted else CRAMPED)


async def _all() -> dict[str, Any]:
    places = asyncio.Semaphore(SIDE_BY_SIDE)
    plans: dict[str, Callable[[], Awaitable[Any]]] = {
        "SIGTERM": lambda: by_uv(signal.SIGTERM, "uv", "-m locust"),
        "SIGINT": lambda: by_uv(signal.SIGINT, "task", "-m services.api", "-m services.projector"),
        "SIGHUP": lambda: by_uv(signal.SIGHUP, "group", "bin/postgres", "-m services.loadgen"),
        "still": while_postgres_stands_still,
        "killed": killed_with_all_frozen,
        "compare": compare,
        "full disk": on_a_full_disk,
        "unread": unread,
        "defect": defect,
        "perf": perf,
        **{said: lambda said=said: in_phase(said) for said in PHASES},  # type: ignore[misc]
    }

    async def play(plan: Callable[[], Awaitable[Any]]) -> Any:
        async with places:
            return await plan()

    return dict(zip(plans, await asyncio.gather(*map(play, plans.values()), return_exceptions=True), strict=True))


@pytest.fixture(scope="module")
def ends() -> dict[str, Any]:
    """The end of every run; or what went wrong with it, which its test raises."""
    return asyncio.run(_all())


def end(ends: dict[str, Any], name: str) -> Any:
    found = ends[name]
    if isinstance(found, BaseException):
        raise found
    return found


def interrupted(found: End, sign: str) -> None:
    why = f"interrupted by {sign}"
    assert (found.result["verdict"], found.result["why"]) == ("invalid", why)
    assert why in found.said.splitlines()
    assert found.files >= {"result.json", "report.html", "machine.json", "log"}
    assert "missing" not in found.said
    assert "Traceback" not in found.said


@pytest.mark.parametrize(("sign", "code"), [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129)])
def test_a_signal_to_uv_to_task_or_to_all_ends_a_run_though_a_part_is_frozen(
    sign: str, code: int, ends: dict[str, Any]
) -> None:
    found = end(ends, sign)
    interrupted(found, sign)
    assert found.code != 0
    if sign != "SIGHUP":
        assert f"exit status {code}" in found.said


def test_a_server_that_stands_still_holds_up_no_end(ends: dict[str, Any]) -> None:
    found = end(ends, "still")
    assert found.code == 143, found.said
    interrupted(found, "SIGTERM")


@pytest.mark.parametrize("said", PHASES)
def test_a_run_can_be_ended_at_every_step_of_it_and_more_signals_change_nothing(
    said: str, ends: dict[str, Any]
) -> None:
    found = end(ends, said)
    # Of signals that all wait until Python looks, it takes the lowest number first.
    first = next((sign for sign in ENDING if found.code == 128 + sign), None)
    assert first is not None, found.said
    interrupted(found, first.name)


def test_nothing_outlives_a_bench_that_is_killed_though_nothing_reacts(ends: dict[str, Any]) -> None:
    found = end(ends, "killed")
    assert found.code == -signal.SIGKILL


def test_a_comparison_and_a_measurement_end_the_same_way(ends: dict[str, Any]) -> None:
    found = end(ends, "compare")
    assert found.code == 143, found.said
    assert "no trial has a result: the comparison was interrupted" in found.said
    assert found.result["why"] == "interrupted by SIGTERM"
    code, said = end(ends, "perf")
    assert code == 129, said
    assert "Traceback" not in said


def test_on_a_full_disk_the_summary_is_printed_and_says_what_is_missing(ends: dict[str, Any]) -> None:
    found = end(ends, "full disk")
    assert found.code == 1, found.said
    assert "CONVERGED" in found.said
    assert "report.html: No space left on device" in found.said
    assert "Traceback" not in found.said
    assert found.result["verdict"] == "converged"
    assert found.files >= {"result.json", "loadgen.json", "samples.jsonl", "missing.json"}
    assert not {"report.html"} & found.files
    assert not any(name.startswith(".") for name in found.files)


def test_output_that_nobody_reads_costs_the_output_and_not_the_run(ends: dict[str, Any]) -> None:
    found = end(ends, "unread")
    assert found.code == 0, found.said
    assert found.result["verdict"] == "converged"
    assert len(found.said.splitlines()) == 1


def test_a_defect_is_told_in_one_line_that_names_the_file_with_its_traceback(ends: dict[str, Any]) -> None:
    found = end(ends, "defect")
    assert found.code == 70, found.said
    (line,) = [line for line in found.said.splitlines() if "defect" in line]
    assert line.startswith("defect: KeyError: 'planted'; the traceback is in ")
    assert line == found.result["why"]
    assert "Traceback" not in found.said
