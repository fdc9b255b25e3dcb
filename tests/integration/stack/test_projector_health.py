"""A projector in a container is asked by its health file: alive, ready, unready while the store is away, ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from services.health import ask_file
from tests.cluster import Cluster, as_role
from tests.integration.api.server import ROOT, api_environment, until


def start(url: str, log: Path, health: Path) -> subprocess.Popen[bytes]:
    """A projector with a short lease."""
    environment = api_environment(as_role("projector", url), 1, HEALTH_FILE=str(health), LEASE_SECONDS="0.5")
    with log.open("w") as stream:
        command = [sys.executable, "-m", "services.projector"]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=stream)


def test_health_follows_the_store(cluster: Cluster, tmp_path: Path) -> None:
    health, log = tmp_path / "health", tmp_path / "log"
    url = cluster.create()
    projector = start(url, log, health)
    try:
        until(lambda: ask_file(health) == "", "the projector to be ready")
        cluster.server.drop_database(url.rpartition("/")[2])
        until(lambda: "has not heard" in ask_file(health), "the projector to say that the store is away")
        assert ask_file(health, live=True) == ""
    finally:
        projector.terminate()
        assert projector.wait(30) == 0, log.read_text()
    assert not health.exists()


def test_a_health_file_that_can_not_be_written_is_logged(cluster: Cluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    projector = start(cluster.create(), log, tmp_path / "nowhere" / "health")
    until(lambda: "health file not written" in log.read_text(), "the warning")
    projector.terminate()
    assert projector.wait(30) == 0
