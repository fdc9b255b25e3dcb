"""Drills by the command line on a real system: each fault hits, the system comes back, and nothing is lost.

A fault at least in each strategy. Which drills a sitting has, and what it makes of repetitions that did not hit, is for
tests/unit/bench/test_drill_command.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Final

import pytest

from bench.drill.repetition import COUNTED
from tests.acceptance.bench_process import Bench, bench

SHORT: Final = {"VUS": "10", "DURATION": "6s", "WARMUP": "0s", "LEASE_SECONDS": "1"}
# Handlers that cost something, so that leases are surely in hand at many a moment.
LEASED: Final = {"HANDLER_LATENCY_MS": "5"}
SITTINGS: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("kill-projector", "stream-leases"): LEASED,
    ("zombie-projector", "stream-leases"): LEASED,
    ("kill-api", "stream-locks"): {},
    ("restart-postgres", "global-order"): {},
    ("lose-one-shard", "stream-leases"): {},
}
"""Settings by fault and strategy."""
SIDE_BY_SIDE: Final = 2


@dataclass(frozen=True)
class Ended:
    """A command that ended: its exit code and words, what it left, and whether anything else is there."""

    code: int | None
    said: str
    document: dict[str, Any]
    page: str
    clean: bool

    @property
    def drill(self) -> dict[str, Any]:
        """Its one drill."""
        (found,) = self.document["drills"]
        return dict(found)


async def drilled(name: str, strategy: str) -> Ended:
    """A fault under a strategy, once."""
    async with bench("drill", name, "--strategy", strategy, **SHORT, **SITTINGS[name, strategy]) as ran:
        await ran.ended()
        document, page = _left(ran)
        return Ended(ran.code, ran.said, document, page, await ran.nothing_left())


def _left(ran: Bench) -> tuple[dict[str, Any], str]:
    (folder,) = ran.results.glob("*-drills-*")
    return json.loads((folder / "drills.json").read_text()), (folder / "report.html").read_text()


@pytest.fixture(scope="module")
def sittings() -> dict[tuple[str, str], Any]:
    """Each of them once; or what went wrong with it."""

    async def play() -> list[Any]:
        places = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(name: str, strategy: str) -> Ended:
            async with places:
                return await drilled(name, strategy)

        return await asyncio.gather(*(one(*each) for each in SITTINGS), return_exceptions=True)

    return dict(zip(SITTINGS, asyncio.run(play()), strict=True))


def ended(sittings: dict[tuple[str, str], Any], name: str, strategy: str) -> Ended:
    found = sittings[name, strategy]
    if isinstance(found, BaseException):
        raise found
    assert isinstance(found, Ended)
    return found


@pytest.mark.parametrize(("name", "strategy"), SITTINGS)
def test_a_fault_loses_nothing_and_leaves_nothing(
    name: str, strategy: str, sittings: dict[tuple[str, str], Any]
) -> None:
    end = ended(sittings, name, strategy)
    drill = end.drill
    assert end.clean
    assert (drill["strategy"], drill["platform"]) == (strategy, "local")
    assert {count: drill[count] for count in COUNTED} == dict.fromkeys(COUNTED, 0)
    assert drill["verdict"] == "passed", end.said
    assert (end.code, drill["hit"], drill["runs"][0]["replay"]) == (0, 1, "")


@pytest.mark.parametrize(("name", "strategy"), SITTINGS)
def test_a_fault_has_its_price_and_its_curve(name: str, strategy: str, sittings: dict[tuple[str, str], Any]) -> None:
    end = ended(sittings, name, strategy)
    drill = end.drill
    assert drill["stall_s"]["p50"] is not None, end.said
    curve = drill["curve"]
    assert curve["run_id"] in {run["run_id"] for run in drill["runs"]}
    assert curve["t_s"][-1] > 0
    assert curve["healed_s"] > 0
    assert max(rate or 0 for rate in curve["actions_per_s"]) > 0
    assert f"Throughput around {name}" in end.page
    assert f"Staleness around {name}" in end.page


@pytest.mark.parametrize(("name", "strategy"), [("kill-api", "stream-locks"), ("restart-postgres", "global-order")])
def test_requests_that_failed_are_told_by_kind(name: str, strategy: str, sittings: dict[tuple[str, str], Any]) -> None:
    end = ended(sittings, name, strategy)
    assert sum(end.drill["errors"].values()) > 0, end.said
    assert end.drill["stall_s"]["p50"] > 0


@pytest.mark.parametrize("name", ["kill-projector", "zombie-projector"])
def test_leases_of_a_killed_and_of_a_frozen_projector_are_taken_over(
    name: str, sittings: dict[tuple[str, str], Any]
) -> None:
    end = ended(sittings, name, "stream-leases")
    assert end.drill["takeover_s"]["p50"] > 0, end.said
