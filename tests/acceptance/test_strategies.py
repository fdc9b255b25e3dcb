"""A system that somebody else runs: a result names the strategy and handler that its projectors say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.acceptance.bench_process import ROOT, SHORT, Bench, bench
from tests.cluster import Cluster, as_role
from tests.integration.api.server import ApiServer, api_environment, serve, until


@contextmanager
def projector(url: str, api: ApiServer, strategy: str, **variables: str) -> Iterator[None]:
    """A projector that works by `strategy`, until the end of the block."""
    names = {"STRATEGY": strategy, "PROJECTOR_NAME": f"by {strategy}", **variables}
    told = api_environment(as_role("projector", url), 1, **names)
    process = subprocess.Popen([sys.executable, "-m", "services.projector"], cwd=ROOT, env=told)
    try:
        until(lambda: strategy in api.stats()["strategies"], f"a projector by {strategy}")
        yield
    finally:
        process.terminate()
        assert process.wait(30) == 0


@asynccontextmanager
async def measured(url: str, api: ApiServer, **variables: str) -> AsyncIterator[Bench]:
    """A short run against that system."""
    where = {"BASE_URL": str(api.client.base_url).rstrip("/"), "DATABASE_URL": url}
    async with bench("run", "throughput", **{**SHORT, **where, **variables}) as ran:
        yield ran


async def test_a_system_is_measured_by_the_strategy_that_its_projectors_say(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.create()
    with serve(url, tmp_path) as api, projector(url, api, "stream-locks", HANDLER="each"):
        async with measured(url, api) as ran:
            await ran.ended()
            assert ran.code == 2, ran.said
            said = " ".join(ran.said.split())
            assert "work by stream-locks, this run is one of stream-leases" in said
            assert "run HANDLER=each, this run is one of set" in said
            assert not ran.results.exists() or not list(ran.results.iterdir())

        async with measured(url, api, STRATEGY="stream-locks", HANDLER="each") as ran:
            await ran.ended()
            assert ran.code == 0, ran.said
            result, told = ran.document(), ran.document("loadgen.json")
            assert (result["strategy"], told["strategies"]) == ("stream-locks", ["stream-locks"])
            # Nobody asked this projector to keep its moments.
            assert result["waterfall_ms"]["why"].startswith("not told: the projectors kept no moments")
            assert result["waterfall_ms"]["commit_to_noticed"] is None
            assert (told["handlers"], told["read_models"]) == (["each"], ["todos"])


async def test_a_projector_of_another_strategy_that_joins_a_run_makes_it_invalid(
    cluster: Cluster, tmp_path: Path
) -> None:
    url = cluster.create()
    with serve(url, tmp_path) as api, projector(url, api, "stream-leases"):
        # Long enough for a projector to start in it on a busy machine, and with few users, who keep it no busier.
        async with measured(url, api, DURATION="25s", VUS="3") as ran:
            await ran.in_phase("load")
            with projector(url, api, "stream-locks"):
                await ran.ended()
            assert ran.code == 1, ran.said
            result, told = ran.document(), ran.document("loadgen.json")
    assert told["strategies"] == ["stream-leases", "stream-locks"]
    assert told["verdict"] == "converged"
    assert result["verdict"] == "invalid"
    assert result["why"].startswith("the projectors said that they work by stream-leases and stream-locks")
