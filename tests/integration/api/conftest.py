"""One migrated database, one API and one projector for each module."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import Cluster, as_role
from tests.integration.api.server import ROOT, ApiServer, api_environment, serve


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A fresh, migrated database."""
    return cluster.create()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the servers' logs go."""
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def api(url: str, folder: Path) -> Iterator[ApiServer]:
    """A running API without a projector."""
    with serve(url, folder) as server:
        yield server


@pytest.fixture(scope="module")
def projector(url: str, folder: Path) -> Iterator[None]:
    """A projector at work on the module's database."""
    with (folder / "projector.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.projector"],
            cwd=ROOT,
            env=api_environment(as_role("projector", url), 1),
            stderr=log,
        )
    yield
    process.terminate()
    assert process.wait(30) == 0
