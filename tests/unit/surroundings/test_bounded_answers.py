"""Answers of a system that somebody else runs: bounded in size, time and depth, before anything is made of them."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.platforms import http_client


@contextmanager
def answering(parts: Iterator[bytes]) -> Iterator[tuple[str, list[int]]]:
    """A server whose answer has these parts; the sizes of those that were taken."""
    taken: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                for part in parts:
                    self.wfile.write(part)
                    taken.append(len(part))
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()


def endless() -> Iterator[bytes]:
    while True:
        yield b" " * 2**20


def dripping() -> Iterator[bytes]:
    while True:
        time.sleep(0.01)
        yield b" "


def test_an_endless_answer_is_none_and_is_not_read_to_its_end() -> None:
    with answering(endless()) as (url, taken):
        assert http_client.stats(url) is None
    assert sum(taken) < 4 * http_client.LARGEST


def test_one_that_comes_a_little_at_a_time_is_none() -> None:
    with (
        answering(dripping()) as (url, _),
        http_client.direct(url) as answer,
        pytest.raises(ValueError, match=r"not whole within 0\.2 s"),
    ):
        http_client.content(answer, 0.2)


def test_one_that_is_nested_beyond_measure_is_none() -> None:
    with answering(iter([b"[" * 200_000])) as (url, _):
        assert http_client.stats(url) is None


def test_a_document_comes_whole() -> None:
    with answering(iter([b'{"eventCount":', b" 1}"])) as (url, _):
        assert http_client.stats(url) == {"eventCount": 1}
