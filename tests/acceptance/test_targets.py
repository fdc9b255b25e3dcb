"""Whole runs of a target that is not ours, by its manifest: proven as far as it can be, and nothing of it is left."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from unittest.mock import ANY

from metrics.reading import read
from metrics.records.answers.targets import FILE as TABLE
from metrics.records.answers.targets import SCHEMA, Targets
from tests.acceptance.bench_process import FAKE, Bench, bench
from tests.fakes.todo_server import FakeTodoServer

BRIEF: Final = {"VUS": "8", "DURATION": "3s", "WARMUP": "500ms", "HOLD": "0", "THINK_TIME_MS": "20"}


async def ended(run: Bench) -> tuple[int | None, str]:
    await run.ended()
    assert await run.nothing_left()
    return run.code, run.said


async def test_a_target_is_run_by_its_manifest_and_its_result_says_what_it_is() -> None:
    async with bench("run", "throughput", TARGET=FAKE, PROJECTORS="2", **BRIEF) as run:
        await run.in_phase("load")
        assert len([one for one in run.offspring if "tests.fakes.target.projector" in " ".join(one.cmdline())]) == 2
        code, said = await ended(run)
        assert code == 0, said
        result, log = run.document(), run.bundle / "log"
        assert result["target"] == {"name": "target", "version": "1", "class": "documented", "capabilities": []}
        assert (result["proof"], result["verdict"], result["mode"]) == ("read-back", "converged", "parallel")
        correctness = result["correctness"]
        assert correctness["acknowledged_checked"] > 0
        assert (correctness["events_checked"], correctness["lost"], correctness["phantom"]) == (0, None, None)
        assert run.document("verification.json")["not_seen"].startswith("the events")
        assert result["settings"]["TARGET"] == "target"
        assert result["waterfall_ms"]["why"].startswith("not told")
        assert {"api", "generator"} <= set(result["resources"]["cpu_percent"])
        assert run.document("versions.json")["target"]["lock"].startswith("sha256:")
        assert not (run.bundle / "postgres.json").exists()
        assert "projector 2 projector-2-" in (log / "projector-2.log").read_text()
        assert "HTTP_PROXY" not in (log / "api.log").read_text()
        assert {one["rule"] for one in run.document("contract.json")["rules"]} >= {"create-201", "page-order"}
        assert "it keeps everything in memory" in (run.bundle / "report.html").read_text()


async def test_a_log_is_folded_again_and_overrules_what_reads_alone_had_found() -> None:
    """Both run the same load at the same time, and both agree with every read; the log of one is in no order."""

    async def run_of(variant: str) -> dict[str, Any]:
        async with bench("run", "throughput", TARGET=f"{FAKE}:{variant}", **BRIEF) as run:
            code, said = await ended(run)
            result = run.document()
            assert code == (0 if variant == "logged" else 1), said
            return {**result, **run.document("verification.json")}

    sound, reordered = await asyncio.gather(run_of("logged"), run_of("reordering"))
    assert (sound["verdict"], sound["proof"], sound["level"]) == ("converged", "log", "log"), sound["why"]
    assert sound["correctness"]["events_checked"] >= sound["throughput"]["actions"] > 0
    assert sound["not_seen"].startswith("an effect in a wrong row")
    assert reordered["verdict"] == "diverged"
    assert "reordered: version" in reordered["why"]
    counts = reordered["correctness"]
    assert (counts["reordered"] > 0, counts["lost"], counts["duplicated"], counts["acknowledged_missing"]) == (
        True,
        0,
        0,
        0,
    )


async def test_one_that_does_not_start_or_keeps_no_contract_ends_the_run_before_any_number() -> None:
    async def gave_up(variant: str, *said: str) -> None:
        async with bench("run", TARGET=f"{FAKE}:{variant}", **BRIEF) as run:
            code, _ = await ended(run)
            result = run.document()
            assert (code, result["verdict"], result["throughput"]["actions"]) == (1, "invalid", 0)
            assert [words for words in said if words not in result["why"]] == []

    await asyncio.gather(
        gave_up("hasty", "api ended with exit code 2", "no such port"),
        gave_up("boasting", "target:boasting does not keep the contract: ", "idempotency-create: sent POST /todos"),
    )


async def test_a_table_of_targets_has_no_figures_of_one_that_was_wrong_and_does_not_run_it_again() -> None:
    brief = {**BRIEF, "DURATION": "2s"}
    async with bench("targets", "--only", f"{FAKE}:reordering,empty", "--rounds", "2", **brief) as run:
        code, said = await ended(run)
        (path,) = run.results.glob(f"*-throughput-targets-*/{TABLE}")
        found = read(path, Targets, schema=SCHEMA)
        assert (code, found["sound"], found["base"]) == (1, False, "target:reordering"), said
        wrong, right = found["rows"]
        assert (right["name"], right["verdict"], len(right["trials"])) == ("empty", "converged", 2), said
        assert right["figures"]["actions_per_s"]["spread"]["trials"] == 2
        assert (wrong["name"], wrong["verdict"], wrong["figures"]) == ("target:reordering", "diverged", {})
        assert len(wrong["trials"]) == 1
        assert "reordered: version" in said
        assert (run.results / "latest").resolve() == path.parent.resolve()
        assert (path.parent / "report.html").exists()


async def test_what_can_not_be_asked_is_refused_before_any_work() -> None:
    asked = (
        ({"TARGET": "nonsense"}, "TARGET='nonsense' is not usable: expected one of tidemark"),
        ({"TARGET": f"{FAKE}:inline", "PROJECTORS": "2"}, "it has no projector process"),
        ({"TARGET": FAKE, "SERIAL_PROJECTION": "true"}, "a target that has serial mode"),
    )

    async def refused(variables: dict[str, str], said: str) -> None:
        async with bench("run", **variables) as run:
            await run.ended()
            assert run.code == 2, run.said
            assert said in " ".join(run.said.split())
            assert not run.results.exists()

    await asyncio.gather(*(refused(*one) for one in asked))


async def test_a_system_that_somebody_else_runs_is_measured_by_its_required_parts_alone() -> None:
    """Without its database, under a free name, and with the best proof that it offers: here none but its reads."""
    async with FakeTodoServer(bare=True) as server:
        told = {"BASE_URL": server.base_url, "TARGET": "mine", **BRIEF, "HOLD": "1s"}
        async with bench("run", "throughput", **told) as run:
            code, said = await ended(run)
            assert code == 0, said
            result, report = run.document(), (run.bundle / "report.html").read_text()
    assert (result["target"]["name"], result["platform"], result["proof"]) == ("mine", "attached", "read-back")
    assert (result["verdict"], result["strategy"]) == ("converged", "not told")
    assert result["event_id_lag"] == {"p50": None, "p95": None, "max": None, "final": None, "why": ANY}
    convergence = result["convergence"]
    assert (convergence["until"], convergence["held_s"], convergence["speed_events_per_s"]) == ("seen", 0, None)
    assert "no power to pause the projector" in convergence["why"]
    assert 0 < convergence["resolution_s"] <= convergence["time_s"]
    assert "at most" in report
