"""The bench speaks to the system itself: no proxy of the environment stands between them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bench.platforms import http_client
from settings.children import PROXIES


class Api(BaseHTTPRequestHandler):
    """Ready, with statistics."""

    def do_GET(self) -> None:
        body = json.dumps({"eventCount": 7}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    """Its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", [name for name in PROXIES if not name.lower().startswith("no")])
def test_no_spelling_of_a_proxy_stands_before_the_system(name: str, api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for spelled in PROXIES:
        monkeypatch.delenv(spelled, raising=False)
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert http_client.ready(api)
    assert http_client.stats(api) == {"eventCount": 7}
