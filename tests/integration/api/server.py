"""The real API as a subprocess on a free port, and a client for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.platforms.postgres.cluster import free_port
from tests.cluster import PATIENCE, as_role
from tests.looks import between_looks

ROOT = Path(__file__).parents[3]
PATIENCE_S = 30.0
UNKNOWN = "todo-" + "0" * 32


def until(condition: Callable[[], bool], what: str) -> None:
    """Poll until the condition holds; fails after `PATIENCE_S` with what was awaited."""
    deadline = time.monotonic() + PATIENCE_S
    pauses = between_looks()
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(next(pauses))


def api_environment(url: str, port: int, **variables: str) -> dict[str, str]:
    """The environment of an API process, with nothing of the caller's settings in it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, **PATIENCE, "DATABASE_URL": url, "API_PORT": str(port), **variables}


@dataclass
class ApiServer:
    """A running API. `client` does not follow redirects and gives up after 20 s."""

    process: subprocess.Popen[str]
    client: httpx.Client
    log: Path

    def create(self, text: str = "milk", **headers: str) -> str:
        """Create a todo and return its id."""
        answer = self.client.post("/todos", json={"text": text}, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["stream"])

    def stats(self) -> dict[str, Any]:
        """The document of `/stats`."""
        answer = self.client.get("/stats")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def events(self) -> int:
        """How many events the store holds."""
        return int(self.stats()["eventCount"])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the server and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def serve(url: str, folder: Path, *, before: Sequence[str] = (), **variables: str) -> Iterator[ApiServer]:
    """Start the API on a free port, `before` its command; it is ready, or alive at least, when the block begins."""
    port = free_port()
    log = folder / f"api-{port}.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "services.api"],
            cwd=ROOT,
            env=api_environment(as_role("api", url), port, **variables),
            stderr=stream,
            text=True,
        )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        server = ApiServer(process, client, log)
        try:
            until(lambda: _alive(server), "the API to answer")
            yield server
        finally:
            if process.poll() is None:
                server.stop()


def _alive(server: ApiServer) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        return server.client.get("/livez").status_code == 200
    except httpx.TransportError:
        return False


def assert_problem(answer: httpx.Response, status: int, name: str | None = None) -> dict[str, Any]:
    """The problem document of an answer, after checking that it is a proper one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["requestId"] == answer.headers["x-request-id"]
    assert problem["type"] == (f"tag:tidemark,2026:{name}" if name else "about:blank")
    return problem
