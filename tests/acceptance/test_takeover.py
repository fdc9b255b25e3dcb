"""kill -9 in the default mode: leases of the dead projector are seen, run out, are taken over; no effect is doubled.

Handlers cost nothing here, so a lease lasts for a millisecond or two: the projector is frozen first, with some in hand.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from bench.oracle.verify import verify
from tests.acceptance.bench_process import ROOT
from tests.cluster import Cluster, as_role
from tests.integration.api.server import ApiServer, api_environment, serve, until
from tests.integration.projector.stage import faults

WRITERS = 6
MOST_LOOKS = 200
# One that waits for its client to go on does nothing meanwhile.
BUSY = """
SELECT count(*) FROM pg_stat_activity
 WHERE application_name = 'projector victim' AND state <> 'idle' AND wait_event IS DISTINCT FROM 'ClientRead'
"""
IN_HAND = "SELECT count(*) FROM streams WHERE holder = 'victim' AND leased_until > clock_timestamp()"


@contextmanager
def projector(url: str, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A projector that is told nothing of its strategy, and to cost nothing; gone at the end of the block."""
    told = api_environment(as_role("projector", url), 1, PROJECTOR_NAME=name, HANDLER_LATENCY_MS="0", LEASE_SECONDS="3")
    process = subprocess.Popen([sys.executable, "-m", "services.projector"], cwd=ROOT, env=told)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def load(api: ApiServer) -> Iterator[None]:
    """Users who create and update todos until the end of the block."""
    over = threading.Event()

    def user() -> None:
        while not over.is_set():
            stream = api.create()
            assert api.client.put(f"/todos/{stream}", json={"text": "bread"}).status_code == 200

    with ThreadPoolExecutor(WRITERS) as pool:
        users = [pool.submit(user) for _ in range(WRITERS)]
        try:
            yield
        finally:
            over.set()
    for one in users:
        one.result()


def told(api: ApiServer, name: str) -> dict[str, Any]:
    """What `/stats` says of one projector; nothing while it is not known."""
    return next((one for one in api.stats()["projectors"] if one["holder"] == name), {})


def count(url: str, statement: str) -> int:
    """A number from the database itself."""

    async def ask() -> int:
        connection = await asyncpg.connect(url)
        try:
            return int(await connection.fetchval(statement))
        finally:
            await connection.close()

    return asyncio.run(ask())


def frozen_with_leases(url: str, api: ApiServer, victim: subprocess.Popen[bytes]) -> int:
    """Freeze it at what it does, its last statement included: how many leases it has. It goes on where it has none."""
    victim.send_signal(signal.SIGSTOP)
    until(lambda: count(url, BUSY) == 0, "its last statement to end")
    if held := min(told(api, "victim")["leasesHeld"], count(url, IN_HAND)):
        return int(held)
    victim.send_signal(signal.SIGCONT)
    return 0


def test_kill_9_in_the_default_mode_hands_its_leases_over(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.create()
    looks = [0]
    with serve(url, tmp_path) as api:
        with projector(url, "victim") as victim, load(api):
            until(lambda: bool(told(api, "victim")), "the projector to be known")
            assert told(api, "victim")["strategy"] == "stream-leases"
            until(lambda: told(api, "victim")["leasesHeld"] > 0, "leases in hand while it is at work")
            while not looks[-1]:
                looks.append(frozen_with_leases(url, api, victim))
                assert len(looks) < MOST_LOOKS
            victim.kill()
            with projector(url, "heir") as heir:
                until(lambda: told(api, "heir").get("takeovers", 0) >= looks[-1], "its leases to be taken over")
                assert heir.poll() is None
        with projector(url, "last"):
            until(lambda: api.stats()["backlog"] == 0, "all events to be projected")
    verification, _ = asyncio.run(verify(as_role("oracle", url), complete=True, serial=False))
    assert faults(verification) == {}, verification.offenders
    assert verification.correctness.events_checked == count(url, "SELECT count(*) FROM events") > looks[-1]
