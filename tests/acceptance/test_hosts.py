"""Several hosts: two shards and all processes apart in network namespaces, through a delay and a partition.

Run by `task test:hosts`: it takes a minute. Nothing of them is left.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from bench.ends.guardian import Guardian
from bench.perf.contests.hosts.namespaces import Hosts, hosts, ip, listed
from bench.perf.contests.hosts.system import APIS, PROJECTORS, placed
from bench.perf.row import Unmeasured
from bench.perf.rows.hosts import counts
from settings.children import PROGRAM
from tests.integration.api.server import until

pytestmark = pytest.mark.hosts

NOTICED: Final = {"STORE_TIMEOUT_MS": "2000", "STORE_CONNECT_TIMEOUT_MS": "1000", "LEASE_SECONDS": "2"}
"""So long it takes until a silence is noticed, and until somebody else takes over."""


@pytest.fixture(autouse=True)
def _possible() -> None:
    """Where no namespace can be made this says so, and is counted as not run."""
    try:
        with Guardian() as guardian, hosts(["one"], guardian):
            pass
    except Unmeasured as why:
        pytest.skip(str(why))


def links() -> set[str]:
    """The links and addresses of the machine's own namespace."""
    return {line.partition(": ")[2] for line in ip("-o", "address", "show").splitlines()}


def test_hosts_reach_each_other_and_nobody_else_reaches_them() -> None:
    before = listed(), links()
    with Guardian() as guardian, hosts(["one", "two"], guardian) as made:
        assert links() == before[1]
        for name in ("one", "two"):
            assert ip("-n", made[name].namespace, "route", "show", "default") == ""
        assert reaches(made, "one", "two")
        made.cut("two")
        assert not reaches(made, "one", "two")
        made.mend("two")
        until(lambda: reaches(made, "one", "two"), "the cable that was mended")
    assert (listed(), links()) == before


def reaches(made: Hosts, name: str, other: str) -> bool:
    """Whether one host opens a connection to another, where nobody listens but the kernel."""
    program = (
        "import socket, sys\n"
        "try: socket.create_connection((sys.argv[1], 9), timeout=0.5)\n"
        "except ConnectionRefusedError: sys.exit(0)\n"
        "except OSError: sys.exit(1)\n"
    )
    command = [*made[name].program, "-c", program, made[other].address]
    return subprocess.run(command, env=PROGRAM.environment(), check=False).returncode == 0


OPENED = """
import sys
from bench.ends.guardian import Guardian
from bench.perf.contests.hosts.namespaces import hosts
with Guardian() as guardian, hosts(["one"], guardian) as made:
    print(*made.namespaces, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_leaves_its_guardian_removes() -> None:
    before = listed()
    command = [sys.executable, "-c", OPENED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        made = set(process.stdout.readline().split())
        assert len(made) == 2
        assert listed() == before | made
        process.kill()
    until(lambda: listed() == before, "the guardian")


EVENTS_OF_EACH = """
import asyncio, os
from bench.oracle.database import connect
async def count(url):
    connection = await connect(url)
    print(await connection.fetchval("SELECT count(*) FROM events"))
    await connection.close()
for url in os.environ["DATABASE_URLS"].split():
    asyncio.run(count(url))
"""


def test_a_run_of_two_shards_over_hosts_converges_through_a_delay_and_a_partition(tmp_path: Path) -> None:
    before = listed(), links()
    with placed(tmp_path, stores=2, **NOTICED) as system:
        system.delay(5)
        results = tmp_path / "results"
        run = system.begin(results, VUS="8", DURATION="15s", WARMUP="1s", SILENCE_MAX="60s")
        run.wait_until_loaded()
        first = PROJECTORS[0]
        with system.cut(first):
            until(lambda: not system.is_well(first), "the projector to notice that it is cut off")
        until(lambda: system.is_well(first), "the projector to be at work again")
        found = run.result()
        assert [told.delayed > 0 for told in system.seen()] == [True, True]
        each = [int(line) for line in system.ask(EVENTS_OF_EACH).split()]
        assert all(system.received(name) > 50_000 for name in APIS)
    assert found["verdict"] == "converged", found["why"]
    assert counts(found) == dict.fromkeys(counts(found), 0)
    assert found["settings"]["SHARDS"] == len(each) == 2
    assert min(each) > 50
    assert sum(each) == found["correctness"]["events_checked"]
    assert (listed(), links()) == before
