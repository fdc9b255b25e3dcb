"""InfluxDB 1.6 on a free port of loopback, and a door before it through which a client of InfluxDB 2 writes to it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.platforms.postgres.cluster import free_port
from tests.influxd import influxd

TOKEN: Final = "token-8f1c7e"
ORG: Final = "tidemark"
BUCKET: Final = "bench"
UP_WITHIN_S: Final = 20.0

CONFIG: Final = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
"""


class _Door(BaseHTTPRequestHandler):
    """`/api/v2/write` becomes `/write`, and is refused as InfluxDB 2 refuses it."""

    protocol_version = "HTTP/1.1"
    engine: Engine

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path != "/api/v2/write" or query.get("org") != ORG or query.get("bucket") != BUCKET:
            return self._answer(404, b'{"code":"not found"}')
        if self.headers.get("Authorization") != f"Token {TOKEN}":
            return self._answer(401, b'{"code":"unauthorized"}')
        self.engine.encodings.add(self.headers.get("Content-Encoding", "identity"))
        target = "/write?" + urlencode({"db": BUCKET, "precision": query.get("precision", "ns")})
        headers = {"Content-Encoding": self.headers["Content-Encoding"]} if self.headers["Content-Encoding"] else {}
        try:
            self._answer(*self.engine.call("POST", target, body, headers))
        except (OSError, HTTPException):
            # Dead: then so is this connection.
            self.close_connection = True

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Engine:
    """A running InfluxDB with one database. `url` is the door's address, `encodings` what bodies came in."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self._port = port
        self.encodings: set[str] = set()
        self._door = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (_Door,), {"engine": self}))
        self._door.daemon_threads = True
        threading.Thread(target=self._door.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._door.server_port}"

    @classmethod
    @contextmanager
    def throwaway(cls, folder: Path) -> Iterator[Self]:
        """A fresh one in `folder`, gone at the end of the block."""
        port = free_port()
        config = folder / "influxdb.conf"
        config.write_text(CONFIG.format(folder=folder, http=port, rpc=free_port()))
        with (folder / "influxd.log").open("wb") as log:
            process = subprocess.Popen([influxd(), "-config", config], stdout=log, stderr=log)
        engine = cls(process, port)
        try:
            engine._wait()
            engine.query(f'CREATE DATABASE "{BUCKET}"', method="POST")
            yield engine
        finally:
            engine.kill()

    @property
    def settings(self) -> dict[str, str]:
        """The variables that point a run to this one."""
        return {"INFLUX_URL": self.url, "INFLUX_TOKEN": TOKEN, "INFLUX_ORG": ORG, "INFLUX_BUCKET": BUCKET}

    def query(self, statement: str, *, method: str = "GET") -> list[dict[str, Any]]:
        """The series that a statement of InfluxQL returns, times in milliseconds. An error fails the test."""
        asked = urlencode({"db": BUCKET, "q": statement, "epoch": "ms"})
        status, body = self.call(method, "/query?" + asked)
        document = json.loads(body)
        (result,) = document.get("results", [document])
        assert status == 200, f"{statement}\n{document}"
        assert "error" not in result, f"{statement}\n{result['error']}"
        return list(result.get("series", []))

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """The rows of all series, tags included."""
        return [
            dict(zip(series["columns"], values, strict=True)) | series.get("tags", {})
            for series in self.query(statement)
            for values in series["values"]
        ]

    def kill(self) -> None:
        """SIGKILL, and the door is shut: from now on a connection is refused."""
        self._process.kill()
        self._process.wait()
        self._door.shutdown()
        self._door.server_close()

    def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One request to InfluxDB itself."""
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=10)) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()

    def _wait(self) -> None:
        deadline = time.monotonic() + UP_WITHIN_S
        while True:
            try:
                self.call("GET", "/ping")
                return
            except OSError:
                assert self._process.poll() is None, "influxd ended at once"
                assert time.monotonic() < deadline, "influxd did not start"
                time.sleep(0.02)
