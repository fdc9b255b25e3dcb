"""The question that a container's health check asks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from services.health import STALE_S, HealthFile, ask_file, ask_url, main


@pytest.fixture
def server() -> Iterator[str]:
    """Answers 200 at /good, and 503 with a reason elsewhere."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/good" else 503)
            self.end_headers()
            self.wfile.write(b"the store is away")

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_ready_service(tmp_path: Path) -> None:
    file = HealthFile(tmp_path / "health")
    file.write()
    assert main([str(tmp_path / "health")]) == 0


def test_unready_is_alive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = HealthFile(tmp_path / "health")
    file.write("the store is away")
    assert main([str(tmp_path / "health")]) == 1
    assert capsys.readouterr().out == "the store is away\n"
    assert main([str(tmp_path / "health"), "live"]) == 0


def test_an_old_file_means_a_dead_service(tmp_path: Path) -> None:
    HealthFile(tmp_path / "health").write()
    late = time.time() + STALE_S + 1
    assert "hangs" in ask_file(tmp_path / "health", now=late)
    assert "hangs" in ask_file(tmp_path / "health", live=True, now=late)


def test_no_file(tmp_path: Path) -> None:
    file = HealthFile(tmp_path / "health")
    file.write()
    file.remove()
    assert "has ended" in ask_file(tmp_path / "health")


def test_addresses(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"{server}/good"]) == 0
    assert main([f"{server}/bad"]) == 1
    assert capsys.readouterr().out == f"{server}/bad answered 503: the store is away\n"


def test_nobody_listens() -> None:
    assert "refused" in ask_url("http://127.0.0.1:1/readyz")


def test_other_questions_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 64
    assert "usage" in capsys.readouterr().err
