"""Modules of a stranger that can not work: exit code 2 and one line, before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import asyncpg
import pytest

from tests.acceptance.bench_process import SHORT, bench
from tests.acceptance.test_doors import shown
from tests.cluster import Cluster

LENGTHS: Final = shown("A read model")
FEW: Final = shown("An ordering strategy")
STANDSTILL: Final = shown("A fault")
READ_MODELS: Final = {"READ_MODELS": "todos,mine.own", "HANDLER": "each"}
STRATEGY: Final = {"STRATEGY": "mine.own"}


async def refused(folder: Path, *arguments: str, **variables: str) -> str:
    """What a command of the bench said that ended so."""
    async with bench(*arguments, PYTHONPATH=str(folder), **SHORT, **variables) as ran:
        await ran.ended()
        (line,) = [line for line in ran.said.splitlines() if not line.startswith("·")]
        assert ran.code == 2, ran.said
        assert "starting Postgres" not in ran.said
        assert await ran.nothing_left()
        return line


def put(folder: Path, text: str, package: str = "") -> None:
    """The module `mine.own`, in its package."""
    (folder / "mine").mkdir()
    (folder / "mine" / "__init__.py").write_text(package)
    (folder / "mine" / "own.py").write_text(text)


@pytest.mark.parametrize(
    ("text", "told", "why"),
    [
        (LENGTHS, {**READ_MODELS, "HANDLER": "set"}, "HANDLER='set' is not usable: expected each: read model lengths"),
        (LENGTHS.replace("async def apply(", "async def apply(:"), READ_MODELS, "SyntaxError"),
        (FEW.replace("MAKE = ", "MADE = "), STRATEGY, "STRATEGY='mine.own' is not usable: expected a strategy, which"),
        (f"{FEW}\nraise RuntimeError('no disk')\n", STRATEGY, "RuntimeError: no disk"),
    ],
    ids=["form of the handler", "read model not Python", "strategy not made", "strategy raises"],
)
async def test_what_a_projector_would_refuse_is_refused_before_the_start(
    tmp_path: Path, text: str, told: dict[str, str], why: str
) -> None:
    put(tmp_path, text)
    line = await refused(tmp_path, "run", "throughput", **told)
    assert line.startswith("projector: ")
    assert why in line


async def test_a_package_that_raises_is_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, LENGTHS, "raise RuntimeError('no disk')")
    line = await refused(tmp_path, "run", "throughput", **READ_MODELS)
    assert line.startswith("READ_MODELS='mine.own' is not usable: ")
    assert "RuntimeError: no disk" in line


@pytest.mark.parametrize(
    ("was", "instead", "why"),
    [
        ("class Fault:", "class Fault(:", "SyntaxError"),
        ("self.seen = 0", "raise RuntimeError('no disk')", "RuntimeError: no disk"),
        ("def __init__(self):", "def __init__(self, x):", "TypeError"),
        ("return {}", "return self.none", "AttributeError"),
    ],
)
async def test_a_fault_that_can_not_be_made_is_refused_by_name(
    tmp_path: Path, was: str, instead: str, why: str
) -> None:
    put(tmp_path, STANDSTILL.replace(was, instead))
    line = await refused(tmp_path, "drill", "mine.own")
    assert line.startswith("fault='mine.own' is not usable: ")
    assert why in line


async def test_a_run_whose_projectors_wait_ends_with_the_reason(cluster: Cluster, tmp_path: Path) -> None:
    put(tmp_path, LENGTHS)
    url = cluster.create()
    async with bench("run", "throughput", PYTHONPATH=str(tmp_path), **SHORT, **READ_MODELS, DATABASE_URL=url) as ran:
        await ran.ended()
        assert ran.code == 2, ran.said
        assert "projector-1: it waits: " in ran.said
        assert "lacks lengths; run `python -m migrations upgrade`, or make the table yourself" in ran.said
        assert await ran.nothing_left()
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM events") == 0
    finally:
        await connection.close()
