"""A search for a capacity, broken off after its first rung: what was measured is kept, and nothing is left running."""

from __future__ import annotations

import json
import signal

from tests.acceptance.bench_process import bench


async def test_a_search_that_is_broken_off_keeps_the_rungs_that_it_measured() -> None:
    options = ("--projectors", "1", "--start", "40", "--budget", "10m", "--visible-p99", "10s", "--anyway")
    async with bench("capacity", *options, DURATION="4s", WARMUP="0s", VUS="20") as search:
        await search.says(" requests/s  ladder ")
        search.note_offspring()
        search.send(signal.SIGINT)
        await search.ended()
        assert search.code == 130, search.said
        (path,) = search.results.glob("*-throughput-capacity-*/capacity.json")
        document = json.loads(path.read_text())
        (curve,) = document["curves"]
        assert (document["sound"], curve["end"]) == (False, "interrupted")
        rung = curve["rungs"][0]
        assert (rung["rate"], rung["verdict"]) == (40, "converged"), rung
        assert rung["visible_samples"] > 20
        assert (search.results / rung["run_id"] / "result.json").exists()
        assert (path.parent / "report.html").read_text().count(rung["run_id"]) == 2
        assert "budget 10 min, over at " in search.said
        assert await search.nothing_left()
