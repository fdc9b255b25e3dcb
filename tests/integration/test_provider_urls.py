"""An address as providers hand it out is taken by every program; one that can not be used is refused by name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.oracle.database import connect
from bench.platforms.postgres.cluster import free_port
from tests.cluster import Cluster, as_role
from tests.integration.api.server import ROOT, api_environment

PROVIDED = "sslmode=disable&channel_binding=prefer&connect_timeout=10&keepalives=1&keepalives_idle=30&sslnegotiation="
LEFT_OUT = ("channel_binding", "keepalives", "keepalives_idle")
PROGRAMS = {
    "api": ("-m", "services.api"),
    "projector": ("-m", "services.projector", "--once"),
    "operator": ("-m", "services.projector", "unblock", "--all"),
    "migrations": ("-m", "migrations", "current"),
    "roles": ("-m", "migrations", "roles"),
    "bench": ("-m", "bench", "run", "throughput"),
}


def run(program: str, url: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. A projection job, a command and a migration have one; so has what is refused."""
    return subprocess.run(
        [sys.executable, *PROGRAMS[program]],
        cwd=ROOT,
        env=api_environment(url, free_port(), COMPOSE_PROJECT_NAME="none-of-ours", **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    return cluster.create()


@pytest.mark.parametrize("program", ["projector", "migrations", "roles"])
def test_what_a_provider_gives_works_and_what_is_left_out_is_told(url: str, program: str) -> None:
    login = as_role("projector", url) if program == "projector" else url
    done = run(program, f"{login}?{PROVIDED}")
    assert done.returncode == 0, done.stderr
    for name in LEFT_OUT:
        assert done.stderr.count(f"DATABASE_URL: {name} is left out: ") == 1
    assert "sslmode is left out" not in done.stderr


async def test_the_bench_takes_it_too(url: str) -> None:
    connection = await connect(f"{as_role('oracle', url)}?{PROVIDED}&application_name=mine", jit="off")
    assert await connection.fetchval("SHOW application_name") == "mine"
    assert await connection.fetchval("SHOW jit") == "off"
    await connection.close()


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("no_such=1", "no parameter 'no_such'"),
        ("sslmode=perhaps", "as sslmode one of disable"),
        ("connect_timeout=soon", "as connect_timeout whole seconds"),
    ],
)
def test_what_nobody_knows_is_refused_before_any_work(program: str, query: str, said: str) -> None:
    done = run(program, f"postgresql://me:s3cret@127.0.0.1:{free_port()}/nowhere?{query}")
    assert done.returncode == 2
    lines = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("·")]
    assert len(lines) == 1
    assert lines[0].startswith("DATABASE_URL=")
    assert said in lines[0]
    assert "s3cret" not in done.stdout + done.stderr


def test_an_address_to_listen_at_is_held_to_the_same(url: str) -> None:
    done = run("projector", as_role("projector", url), LISTEN_URL="postgresql://me:s3cret@h/d?no_such=1")
    assert done.returncode == 2
    assert done.stderr.startswith("LISTEN_URL=")
    assert "no parameter 'no_such'" in done.stderr
    assert "s3cret" not in done.stderr
