"""Locust's web UI in the stack that is up: the stack is set as the settings want it, as for a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from bench import __main__ as command
from bench.platforms import by_hand
from bench.platforms.platform import System
from bench.preflight import description
from tests.fakes.docker import FakeDocker
from tests.unit.containers.conftest import ONE, container


@pytest.fixture
def api(docker: FakeDocker) -> Iterator[str]:
    """The API of a stack in serial mode, until its projectors are started anew."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            mode = "parallel" if any(call.startswith("compose up") for call in docker.calls) else "serial"
            strategy = "stream-leases" if mode == "parallel" else "global-order"
            projector = {"holder": "one", "mode": mode, "strategy": strategy, "alive": True}
            document = {"serialProjection": mode == "serial", "projectors": [projector]}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_stack_in_the_other_mode_is_set_for_the_web_interface(
    docker: FakeDocker, api: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[System] = []

    def watch(system: System) -> None:
        seen.append(system)
        raise KeyboardInterrupt

    async def answer(*_: object, **__: object) -> dict[str, object]:
        return {}

    docker.answer("ps --all", [container("api", Health="healthy"), container("projector")])
    docker.answer("inspect", ONE)
    docker.answer("port api", f"{api}\n")
    monkeypatch.setattr(by_hand, "_watch", watch)
    monkeypatch.setattr(description, "postgres", answer)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    # The command sets these for good.
    for name in ("BASE_URL", "DATABASE_URL", "PROJECTORS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(sys, "argv", ["bench", "ui", "reads", "--mode", "parallel"])
    assert command.main() == 130, capsys.readouterr().err
    (system,) = seen
    assert (system.base_url, system.settings.mode) == (f"http://{api}", "parallel")
    assert system.settings.scenario.name == "reads"
    (started,) = [call for call in docker.calls if call.startswith("compose up")]
    assert "--scale projector=1" in started
    assert not any(process.running for process in system.processes.all)
