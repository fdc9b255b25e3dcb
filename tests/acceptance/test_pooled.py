"""A whole run on a database that is reached through PgBouncer in transaction mode."""

from __future__ import annotations

import pytest

from tests.acceptance.bench_process import SHORT, bench
from tests.cluster import Cluster
from tests.pgbouncer import pgbouncer


@pytest.mark.parametrize("mode", ["serial", "parallel"])
async def test_a_run_through_a_pooler_converges(cluster: Cluster, mode: str) -> None:
    url = cluster.create(migrated=False)
    with pgbouncer(cluster.server, "transaction", size=8) as bouncer:
        told = {"DATABASE_URL": f"{bouncer.url(url)}?channel_binding=prefer", "LISTEN_URL": url}
        async with bench("run", "throughput", "--mode", mode, **{**SHORT, **told}) as ran:
            await ran.ended()
            assert ran.code == 0, ran.said
            assert "note: DATABASE_URL: channel_binding is left out" in ran.said
            assert ran.document()["correctness"]["events_checked"] > 0
            assert cluster.server.password not in ran.said
            assert await ran.nothing_left()
