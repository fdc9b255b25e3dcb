"""The API program of a target of ours, as a process on a free port."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.platforms.postgres.cluster import free_port
from tests.integration.api.server import ROOT, ApiServer, api_environment, until


@contextmanager
def program(module: str, url: str, folder: Path, *, waits_for: int = 200, **variables: str) -> Iterator[ApiServer]:
    """Start it; /readyz answers with `waits_for` when the block begins."""
    port = free_port()
    log = folder / f"{module}-{port}.log"
    with log.open("w") as stream:
        environment = api_environment(url, port, **variables)
        process = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environment, stderr=stream, text=True)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        server = ApiServer(process, client, log)
        try:
            until(lambda: _says(server, waits_for), f"{module} to answer")
            yield server
        finally:
            if process.poll() is None:
                assert server.stop() in (0, -15), log.read_text()


def _says(server: ApiServer, status: int) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        return server.client.get("/readyz").status_code == status
    except httpx.TransportError:
        return False
