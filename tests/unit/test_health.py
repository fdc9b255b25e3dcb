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


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b'{"at": 1', b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"{}", b'{"at": 1000}', b'{"why_not": ""}',
        b'{"at": null, "why_not": ""}', b'{"at": "1000", "why_not": ""}', b'{"at": true, "why_not": ""}',
        b'{"at": NaN, "why_not": ""}', b'{"at": Infinity, "why_not": ""}', b'{"at": 1000, "why_not": null}',
        b'{"at": 1' + b"0" * 400 + b', "why_not": ""}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("live", [False, True])
def test_a_file_that_no_service_wrote_is_not_well(content: bytes, live: bool, tmp_path: Path) -> None:
    path = tmp_path / "health"
    path.write_bytes(content)
    assert ask_file(path, live=live, now=1000) == f"{path}: not what a service writes there, so nobody knows how it is"


def test_a_folder_and_a_file_of_the_future_are_not_well(tmp_path: Path) -> None:
    assert ask_file(tmp_path) == f"{tmp_path}: can not be read (Is a directory)"
    path = tmp_path / "health"
    path.write_text('{"at": 1060.0, "why_not": ""}')
    assert "60 s in the future" in ask_file(path, now=1000)
