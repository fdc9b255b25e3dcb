"""Two shards on two databases, with one API and one projector over both, for a module."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eventstore.connection.planner import ROLES
from eventstore.shards.hash_slots import places
from migrations.__main__ import migrate
from migrations.roles.apply import apply
from tests.cluster import PASSWORD, Cluster, as_role
from tests.integration.api.server import ROOT, ApiServer, api_environment, serve


async def _migrate(urls: list[str]) -> None:
    for url, place in zip(urls, places(len(urls)), strict=True):
        await migrate(url, place=place)
        await apply(url, dict.fromkeys(ROLES, PASSWORD))


@pytest.fixture(scope="module")
def urls(cluster: Cluster) -> list[str]:
    """Two databases, migrated as the two shards of a store."""
    made = [cluster.create(migrated=False) for _ in range(2)]
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _migrate(made)).result()
    return made


def addresses(role: str, urls: list[str]) -> str:
    """All of them for one of our roles."""
    return " ".join(as_role(role, url) for url in urls)


@pytest.fixture(scope="module")
def api(urls: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A running API over both."""
    with serve(urls[0], tmp_path_factory.mktemp("api"), DATABASE_URLS=addresses("api", urls)) as server:
        yield server


@pytest.fixture(scope="module")
def health(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the projector says how it is."""
    return tmp_path_factory.mktemp("projector") / "health"


@pytest.fixture(scope="module")
def projector(urls: list[str], health: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One projector over both."""
    told = {"DATABASE_URLS": addresses("projector", urls), "HEALTH_FILE": str(health)}
    process = subprocess.Popen(
        [sys.executable, "-m", "services.projector"],
        cwd=ROOT,
        env=api_environment(as_role("projector", urls[0]), 1, **told),
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.terminate()
    assert process.wait(30) == 0
