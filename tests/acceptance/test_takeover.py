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
MOST_VICTIMS = 10
# One that waits for its client to go on does nothing meanwhile.
BUSY = """
SELECT count(*) FROM pg_stat_activity
 WHERE application_name = 'projector {}' AND state <> 'idle' AND wait_event IS DISTINCT FROM 'ClientRead'
"""
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'projector {}'"
HELD = "SELECT count(*) FROM streams WHERE holder = '{}'"


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


def frozen_with_leases(url: str, api: ApiServer, name: str, victim: subprocess.Popen[bytes]) -> bool:
    """Freeze it at what it does, its last statement included: whether it has leases. It goes on where it has none."""
    victim.send_signal(signal.SIGSTOP)
    until(lambda: count(url, BUSY.format(name)) == 0, "its last statement to end")
    if told(api, name)["leasesHeld"] and count(url, HELD.format(name)):
        return True
    victim.send_signal(signal.SIGCONT)
    return False


def left_by_the_dead(url: str, api: ApiServer, name: str) -> int:
    """Kill a projector that has leases: how many it leaves.

    They are counted when its sessions have ended: on a busy machine, a statement that it had sent may begin only after
    a look found none at work, and give its leases back.
    """
    looks = 0
    with projector(url, name) as victim:
        until(lambda: bool(told(api, name)), "the projector to be known")
        assert told(api, name)["strategy"] == "stream-leases"
        until(lambda: told(api, name)["leasesHeld"] > 0, "leases in hand while it is at work")
        while not frozen_with_leases(url, api, name, victim):
            looks += 1
            assert looks < MOST_LOOKS
    until(lambda: count(url, SESSIONS.format(name)) == 0, "its sessions to end")
    return count(url, HELD.format(name))


def test_kill_9_in_the_default_mode_hands_its_leases_over(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.create()
    with serve(url, tmp_path) as api:
        with load(api):
            left = next(filter(None, (left_by_the_dead(url, api, f"victim{one}") for one in range(MOST_VICTIMS))))
            with projector(url, "heir") as heir:
                until(lambda: told(api, "heir").get("takeovers", 0) >= left, "its leases to be taken over")
                assert heir.poll() is None
        with projector(url, "last"):
            until(lambda: api.stats()["backlog"] == 0, "all events to be projected")
    verification, _ = asyncio.run(verify(as_role("oracle", url), complete=True, serial=False))
    assert faults(verification) == {}, verification.offenders
    assert verification.correctness.events_checked == count(url, "SELECT count(*) FROM events") > left
