"""Drills by the command line on a real system: each fault hits, the system comes back, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bench.drill.repetition import COUNTED
from tests.acceptance.bench_process import Bench, bench

FAULTS = ("kill-api", "kill-projector", "pause-api", "restart-postgres", "zombie-projector")
# Handlers that cost something, so that leases are surely in hand at many a moment.
SHORT = {"VUS": "20", "DURATION": "8s", "WARMUP": "0s", "LEASE_SECONDS": "1", "HANDLER_LATENCY_MS": "5"}
SIDE_BY_SIDE = 2


async def drilled(name: str, **variables: str) -> tuple[int | None, str, dict[str, Any], bool]:
    """Exit code, words, `drills.json`, and whether nothing was left."""
    async with bench("drill", name, **SHORT, **variables) as ran:
        await ran.ended()
        return ran.code, ran.said, _document(ran), await ran.nothing_left()


def _document(ran: Bench) -> dict[str, Any]:
    (path,) = ran.results.glob("*-drills-*/drills.json")
    return dict(json.loads(path.read_text()))


@pytest.fixture(scope="module")
def drills() -> dict[str, Any]:
    """Each fault once; or what went wrong with it."""

    async def play() -> list[Any]:
        places = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(name: str) -> Any:
            async with places:
                return await drilled(name)

        return await asyncio.gather(*map(one, FAULTS), return_exceptions=True)

    return dict(zip(FAULTS, asyncio.run(play()), strict=True))


def end(drills: dict[str, Any], name: str) -> tuple[int | None, str, dict[str, Any], bool]:
    found = drills[name]
    if isinstance(found, BaseException):
        raise found
    code, said, document, clean = found
    return code, said, document["drills"][0], clean


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_loses_nothing_and_leaves_nothing(name: str, drills: dict[str, Any]) -> None:
    code, said, drill, clean = end(drills, name)
    assert clean
    assert (drill["name"], drill["platform"]) == (name, "local")
    assert {count: drill[count] for count in COUNTED} == dict.fromkeys(COUNTED, 0)
    assert drill["verdict"] == "passed", said
    assert (code, drill["hit"]) == (0, 1)


@pytest.mark.parametrize("name", ["kill-projector", "zombie-projector"])
def test_leases_of_a_killed_and_of_a_frozen_projector_are_taken_over(name: str, drills: dict[str, Any]) -> None:
    _, said, drill, _ = end(drills, name)
    assert drill["takeover_s"]["p50"] > 0, said


MISSES = """
from bench.trial.fault import Evidence

class Fault:
    def defaults(self, strategy):
        return {}

    def set_up(self, system):
        pass

    def invoke(self, stats):
        return True

    def watch(self, stats):
        return True

    def heal(self):
        pass

    def evidence(self, loadgen):
        return Evidence(hit=False, what="nothing was struck")
"""


async def test_a_fault_that_does_not_hit_is_run_again_and_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "misses_of_a_stranger").mkdir()
    (tmp_path / "misses_of_a_stranger" / "one.py").write_text(MISSES)
    short = {**SHORT, "DURATION": "1s", "PYTHONPATH": str(tmp_path)}
    async with bench("drill", "misses_of_a_stranger.one", **short) as ran:
        await ran.ended()
        (drill,) = _document(ran)["drills"]
    assert ran.code == 1, ran.said
    assert (drill["verdict"], drill["hit"], drill["wanted"]) == ("not hit", 0, 1)
    assert drill["repetitions"] == len(set(drill["seeds"])) == 3
