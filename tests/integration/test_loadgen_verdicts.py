"""The load generator as a process against a small server of the contract: every verdict comes out, for its reason.

Most runs here wait more than they work, so they go side by side, and each test looks at the end of one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram

from metrics.records.result import Correctness, Distribution, Generator, Lag, Latency, Throughput, Visibility
from metrics.records.sections.convergence import Convergence
from settings.catalogue.load import HOTTEST
from tests.fakes.todo_server import CEASED_S, FakeTodoServer, Fault
from tests.integration.loadgen_process import Finished, run

SIDE_BY_SIDE = 4


@dataclass
class Plan:
    """One run: the server's fault and what it holds from before, and the settings."""

    fault: Fault = "none"
    every: int = 10
    preloaded: int = 0
    writes: int = 0
    bare: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Played:
    """A run that has ended, and its server."""

    found: Finished
    server: FakeTodoServer


# A short limit: a standstill that lasts as long as the limit ends the phase.
SOON = {"CONVERGENCE_MAX": "2s"}
# A long one: what ends the phase is what is projected, however busy the machine is.
LATER = {"CONVERGENCE_MAX": "60s"}
MIXED = {"WRITE_RATIO": "0.6"}
PLANS = {
    "sound": Plan(),
    "lose": Plan("lose", variables=SOON),
    "duplicate": Plan("duplicate", variables=SOON),
    # Half of the updates, for one that another follows shows nowhere, and a busy machine makes few.
    "forget": Plan("forget", every=2),
    "stuck": Plan("stuck", variables=SOON),
    "block": Plan("block"),
    "fail": Plan("fail", every=2),
    "vanish": Plan("vanish"),
    "drop": Plan("drop", every=50),
    "slow": Plan("slow", variables=LATER),
    "behind": Plan("stuck", preloaded=1, writes=1000),
    "not empty": Plan(preloaded=2500),
    "actions": Plan(variables={"SCENARIO": "actions", **MIXED}),
    "reads": Plan(variables={"SCENARIO": "reads", **MIXED}),
    "scaling": Plan(variables={"SCENARIO": "scaling", **MIXED}),
    "combined": Plan(variables={"SCENARIO": "combined", **MIXED}),
    "all read": Plan(variables={"WRITE_RATIO": "0"}),
    "all write": Plan(variables={"WRITE_RATIO": "1"}),
    "bare": Plan("slow", bare=True, variables={"TARGET_CAPABILITIES": "none", **LATER}),
    "garble": Plan("garble", bare=True, variables={"TARGET_CAPABILITIES": "none"}),
    "skewed": Plan(variables={"WRITE_RATIO": "1", "SKEW": "0.8"}),
}


async def _play(plan: Plan, folder: Path, places: asyncio.Semaphore) -> Played:
    async with places, FakeTodoServer(plan.fault, plan.every, bare=plan.bare) as server:
        server.writes = plan.writes
        server.preload(plan.preloaded)
        return Played(await run(server, folder, **plan.variables), server)


async def _play_all(root: Path) -> dict[str, Played | BaseException]:
    places = asyncio.Semaphore(SIDE_BY_SIDE)
    # The long ones first, so that none of them is left to the end.
    names = sorted(PLANS, key=lambda name: name not in ("behind", "scaling", "combined", "block", "vanish"))
    runs = (_play(PLANS[name], root / name, places) for name in names)
    return dict(zip(names, await asyncio.gather(*runs, return_exceptions=True), strict=True))


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played | BaseException]:
    """Every plan, played."""
    return asyncio.run(_play_all(tmp_path_factory.mktemp("runs")))


def played(ends: dict[str, Played | BaseException], name: str) -> Played:
    end = ends[name]
    if isinstance(end, BaseException):
        raise end
    return end


Ends = dict[str, Played | BaseException]


def test_a_sound_server_converges_and_leaves_the_whole_bundle(ends: Ends) -> None:
    found = played(ends, "sound").found
    assert found.code == 0, found.said
    document = found.document
    assert (document["verdict"], document["why"]) == ("converged", "")
    assert Throughput.from_dict(document["throughput"]).actions > 50
    assert Latency.from_dict(document["latency_ms"]).reads.p99 > 0
    assert Visibility.from_dict(document["visibility_ms"]).samples > 10
    assert Generator.from_dict(document["generator"]).achieved_rate > 50
    assert Lag.from_dict(document["event_id_lag"]).final == 0
    for gauge in ("projection_lag", "backlog"):
        assert Distribution.from_dict(document[gauge]).final == 0
    names = [phase["name"] for phase in document["phases"]]
    assert names == ["warmup", "load", "convergence", "verification"]
    for before, after in pairwise(document["phases"]):
        assert before["started_at"] < before["ended_at"] == after["started_at"]
    # The confirmation by the readers is not part of the time.
    waited = document["phases"][2]["ended_at"] - document["phases"][2]["started_at"]
    assert 0 < Convergence.from_dict(document["convergence"]).time_s < waited
    assert document["settings"]["VUS"] == 20


def test_every_acknowledged_write_of_a_sound_run_is_checked(ends: Ends) -> None:
    end = played(ends, "sound")
    document = end.found.document
    assert end.server.drain_count > 0
    acknowledged = document["acknowledged"]
    assert acknowledged["indeterminate"] == 0
    assert document["correctness"]["acknowledged_missing"] == 0
    # All of the ledger, and the creates of the probe, which its updates follow.
    total = acknowledged["creates"] + acknowledged["updates"] + acknowledged["deletes"]
    assert document["correctness"]["acknowledged_checked"] == total + 20 == end.server.committed


def test_the_files_beside_the_result_can_be_read(ends: Ends) -> None:
    found = played(ends, "sound").found
    counts = {"actions": "actions", "reads": "reads"}
    for name, counted in counts.items():
        histogram = HdrHistogram.decode((found.folder / f"{name}.hdr").read_text().strip().encode())
        assert histogram.get_total_count() == found.document["throughput"][counted]
    histogram = HdrHistogram.decode((found.folder / "visibility.hdr").read_text().strip().encode())
    assert histogram.get_total_count() == found.document["visibility_ms"]["samples"]
    assert (found.folder / "locust.html").stat().st_size > 1000
    assert (found.folder / "locust_stats.csv").read_text().startswith("Type,Name")
    assert (found.folder / "acknowledged_missing.jsonl").read_text() == ""
    assert {sample["phase"] for sample in found.samples} >= {"load"}
    assert any(sample["visibility_p50_ms"] for sample in found.samples)
    assert found.said.count("actions") == len(found.samples)


@pytest.mark.parametrize(
    ("fault", "verdict", "why"),
    [
        ("lose", "diverged", "expected"),
        ("duplicate", "diverged", "events projected"),
        ("forget", "diverged", "not in the final read"),
        ("stuck", "timed_out", "backlog still"),
        ("block", "blocked", "planted"),
        ("fail", "invalid", "failed"),
        ("vanish", "invalid", "gave no statistics"),
        ("garble", "invalid", "/todos/"),
    ],
)
def test_a_planted_fault_gets_its_verdict(fault: str, verdict: str, why: str, ends: Ends) -> None:
    found = played(ends, fault).found
    assert found.code == 1
    assert found.document["verdict"] == verdict, found.said
    assert why in found.document["why"]


def test_what_the_oracle_misses_is_kept_as_evidence(ends: Ends) -> None:
    end = played(ends, "forget")
    lines = (end.found.folder / "acknowledged_missing.jsonl").read_text().splitlines()
    faults = [json.loads(line) for line in lines]
    assert faults
    correctness = Correctness.from_dict(end.found.document["correctness"])
    assert sum(fault["missing"] for fault in faults) == correctness.acknowledged_missing
    assert all(fault["stream"] in end.server.streams for fault in faults)


def test_a_write_whose_answer_was_lost_may_have_happened(ends: Ends) -> None:
    found = played(ends, "drop").found
    assert found.document["verdict"] == "converged", found.said
    assert found.document["acknowledged"]["indeterminate"] > 0
    assert found.document["correctness"]["acknowledged_missing"] == 0


def test_a_late_projection_is_timed_from_the_last_write_to_the_last_effect(ends: Ends) -> None:
    found = played(ends, "slow").found
    assert found.document["verdict"] == "converged", found.said
    convergence = Convergence.from_dict(found.document["convergence"])
    assert convergence.time_s >= CEASED_S
    assert convergence.events == played(ends, "slow").server.concerned > 50
    assert convergence.speed_events_per_s == pytest.approx(convergence.events / convergence.time_s)


def test_the_required_parts_alone_are_enough_and_what_is_not_told_is_null(ends: Ends) -> None:
    """And the convergence is timed by the client's own moments, rather too long than too short."""
    end = played(ends, "bare")
    document, samples = end.found.document, end.found.samples
    assert document["verdict"] == "converged", end.found.said
    assert end.server.drain_count == 0
    convergence = Convergence.from_dict(document["convergence"])
    assert (convergence.until, convergence.events) == ("seen", end.server.concerned)
    assert convergence.time_s >= CEASED_S
    assert convergence.speed_events_per_s is not None
    assert convergence.speed_events_per_s <= convergence.events / CEASED_S
    assert convergence.resolution_s is not None
    assert 0 < convergence.resolution_s < convergence.time_s
    assert document["event_id_lag"]["final"] is None
    assert document["event_id_lag"]["why"].startswith("not told")
    assert Distribution.from_dict(document["backlog"]).max > 0
    assert document["staleness"]["waiting"]["why"].startswith("not told")
    for name in ("event_id_lag", "oldest_unprojected_age_ms", "projectors_alive", "leases_held", "blocked_streams"):
        assert {sample[name] for sample in samples} == {None}, name
    assert any(sample["backlog"] for sample in samples)
    assert document["correctness"]["acknowledged_missing"] == 0
    assert document["correctness"]["acknowledged_checked"] == end.server.committed


def test_an_answer_outside_the_contract_ends_the_run_with_the_call_and_what_was_expected(ends: Ends) -> None:
    why = played(ends, "garble").found.document["why"]
    assert "answered 200 " in why
    assert "expected 20" in why
    assert len(why) < 500


@pytest.mark.parametrize("scenario", ["actions", "reads", "scaling", "combined"])
def test_every_scenario_converges(scenario: str, ends: Ends) -> None:
    found = played(ends, scenario).found
    assert found.document["verdict"] == "converged", found.said
    throughput = Throughput.from_dict(found.document["throughput"])
    assert (throughput.actions == 0) == (scenario == "reads")
    assert (throughput.reads == 0) == (scenario == "actions")


@pytest.mark.parametrize("plan", ["all read", "all write"])
def test_all_users_may_read_and_all_may_write(plan: str, ends: Ends) -> None:
    found = played(ends, plan).found
    assert found.document["verdict"] == "converged", found.said


def test_skew_sends_its_share_of_the_writes_to_the_hottest_streams(ends: Ends) -> None:
    skewed, even = played(ends, "skewed"), played(ends, "all write")
    assert skewed.found.document["verdict"] == "converged", skewed.found.said
    assert skewed.found.document["settings"]["SKEW"] == 0.8
    assert skewed.server.share_of_the_hottest(HOTTEST) == pytest.approx(0.8, abs=0.1)
    assert even.server.share_of_the_hottest(HOTTEST) < 0.3


def test_a_backlog_from_before_refuses_the_run(ends: Ends) -> None:
    found = played(ends, "behind").found
    assert found.document["verdict"] == "invalid"
    assert "is a projector running?" in found.document["why"]


def test_todos_from_before_are_no_trouble(ends: Ends) -> None:
    found = played(ends, "not empty").found
    assert found.document["verdict"] == "converged", found.said


async def test_the_seed_repeats_the_operations_of_each_user(tmp_path: Path) -> None:
    async def log(folder: Path) -> list[str]:
        async with FakeTodoServer() as server:
            await run(server, folder, VUS="1", WRITE_RATIO="1", SEED="7", SCENARIO="throughput")
            return [entry for entry in server.log if not entry.endswith("probe")]

    one, other = await asyncio.gather(log(tmp_path / "one"), log(tmp_path / "other"))
    shorter = min(len(one), len(other))
    assert shorter > 10
    assert one[:shorter] == other[:shorter]


async def test_the_open_loop_keeps_its_rate(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        found = await run(server, tmp_path, RATE="100")
    assert found.document["verdict"] == "converged", found.said
    assert found.document["generator"]["target_rate"] == 100
    assert found.document["generator"]["achieved_rate"] == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("rate", ["20000", "1000000"])
async def test_a_missed_rate_is_invalid(rate: str, tmp_path: Path) -> None:
    """The highest rate that is allowed ends like any other that this process can not keep."""
    async with FakeTodoServer() as server:
        found = await run(server, tmp_path, RATE=rate, VUS="2", DURATION="1s")
    assert found.document["verdict"] == "invalid"
    assert "missed its rate" in found.document["why"]
