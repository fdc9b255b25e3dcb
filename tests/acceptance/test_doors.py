"""A scenario, a fault, a read model and a strategy of a stranger: each one file outside of the tree, run for real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.bench_process import SHORT, Bench, bench

SCENARIO: Final = """
description = "Nothing but new todos, and readers of one at a time"
phases = [{name = "load", mix = "creating"}]

[settings]
VUS = 10
DURATION = "2s"
WRITE_RATIO = 0.7

[mixes.creating]
writes = {create = 1}
reads = {one = 1}
"""

FAULT: Final = '''
"""SIGSTOP to a projector for a moment."""

from bench.drill.fault import Evidence
from bench.platforms.platform import Pause


class Fault:
    def __init__(self):
        self.seen = 0

    def defaults(self, strategy):
        return {}

    def set_up(self, system):
        system.require("projector", Pause)
        self.system, (self.victim, *_) = system, system.parts("projector")

    def invoke(self, stats):
        self.system.pause(self.victim)
        return True

    def watch(self, stats):
        self.seen += stats is not None
        return self.seen > 2

    def heal(self):
        self.system.resume(self.victim)

    def evidence(self, loadgen):
        return Evidence(hit=self.seen > 2, what=f"{self.victim.name} stood still")
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where somebody keeps a package of modules: no part of the tree. PYTHONPATH leads to it."""
    (tmp_path / "strangers").mkdir()
    return tmp_path


@asynccontextmanager
async def ran(*arguments: str, **variables: str) -> AsyncIterator[Bench]:
    """A command of the bench that ended well."""
    async with bench(*arguments, **variables) as run:
        await run.ended()
        assert run.code == 0, run.said
        yield run


async def test_a_scenario_is_one_file_given_by_its_path(folder: Path) -> None:
    path = folder / "newcomers.toml"
    path.write_text(SCENARIO)
    async with ran("run", str(path), WARMUP="1s") as run:
        result, told = run.document(), run.document("loadgen.json")
    assert (result["scenario"], result["verdict"]) == ("newcomers", "converged")
    assert {phase["name"] for phase in told["phases"]} >= {"load", "convergence", "verification"}


async def test_a_fault_is_one_module_given_by_its_dotted_name(folder: Path) -> None:
    (folder / "strangers" / "standstill.py").write_text(FAULT)
    async with ran("drill", "strangers.standstill", PYTHONPATH=str(folder), **SHORT) as run:
        (done,) = list(run.results.glob("*/drills.json"))
        assert '"verdict": "passed"' in done.read_text()
        assert "stood still" in run.said
