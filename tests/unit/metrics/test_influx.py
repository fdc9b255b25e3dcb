"""The sink against a server that answers as it is told: nothing is lost that can be kept, and nobody waits."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from metrics import influx
from metrics.influx import InfluxSink, write_once
from metrics.points import Point, RunTags
from metrics.target import Target

TAGS = RunTags('a run, with "signs" = all', "serial", "global-order", "throughput", "tidemark")
PATIENCE_S = 20.0


class Server:
    """Answers each write with the next status, the last one again and again; keeps the lines of those with 204."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.lines: list[str] = []
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked += 1
                status = outer.statuses.pop(0) if len(outer.statuses) > 1 else outer.statuses[0]
                if status == 204:
                    outer.lines += body.decode().splitlines()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.target = Target(f"http://127.0.0.1:{self._http.server_port}", "secret", "org", "bucket")

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    monkeypatch.setattr(influx, "FLUSH_EVERY_S", 0.02)
    servers: list[Server] = []

    def make(*statuses: int) -> Server:
        servers.append(Server(*statuses))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def points(count: int, first: int = 0) -> list[Point]:
    return [TAGS.phase("load", 1000.0 + number, None) for number in range(first, first + count)]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_all_points_are_written_before_close_returns(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine so many points may take longer than one answer has.
    monkeypatch.setattr(influx, "ANSWER_WITHIN_S", PATIENCE_S)
    server, told = serve(204), list[str]()
    sink = InfluxSink(server.target, told.append)
    sink.write(points(12_000))
    sink.close()
    assert (len(server.lines), sink.written, sink.dropped, sink.trouble, told) == (12_000, 12_000, 0, None, [])
    assert server.asked >= 3, "no batch is larger than BATCH"


def test_a_point_is_a_line_with_its_tags_escaped_its_numbers_floats_and_its_time_to_the_millisecond(
    serve: Callable[..., Server],
) -> None:
    server = serve(204)
    assert write_once(server.target, [TAGS.phase("load", 1000.0123, 1002.5)]) is None
    (line,) = server.lines
    assert line == (
        'phase,mode=serial,phase=load,run=a\\ run\\,\\ with\\ "signs"\\ \\=\\ all,scenario=throughput,'
        'strategy=global-order,target=tidemark ended_at_ms=1002500,text="load, global-order" 1000012000000'
    )


def test_a_server_that_is_away_for_a_while_gets_everything_afterwards(serve: Callable[..., Server]) -> None:
    server, told = serve(503, 429, 503, 204), list[str]()
    sink = InfluxSink(server.target, told.append)
    sink.write(points(10))
    until(lambda: sink.written == 10)
    sink.write(points(5, first=10))
    sink.close()
    assert (len(set(server.lines)), sink.written, sink.dropped, sink.healthy) == (15, 15, 0, True)
    assert len(told) == 1
    assert "503" in told[0]


def test_a_refused_token_is_told_once_and_not_tried_again(serve: Callable[..., Server]) -> None:
    server, told = serve(401), list[str]()
    sink = InfluxSink(server.target, told.append)
    sink.write(points(3))
    until(lambda: sink.dropped == 3)
    sink.write(points(4))
    sink.close()
    assert (sink.written, sink.dropped, server.asked, len(told)) == (0, 7, 1, 1)
    assert "INFLUX_TOKEN" in told[0]
    assert "secret" not in told[0]


@pytest.mark.parametrize("status", [204, 401, 503])
def test_settle_returns_when_the_first_points_are_written_or_their_trouble_is_told(
    serve: Callable[..., Server], status: int
) -> None:
    server, told = serve(status), list[str]()
    sink = InfluxSink(server.target, told.append)
    sink.write(points(1))
    sink.settle()
    assert (sink.written, len(told)) == ((1, 0) if status == 204 else (0, 1))
    sink.close()


def test_points_that_are_refused_for_what_they_are_do_not_hold_up_others(serve: Callable[..., Server]) -> None:
    server = serve(400, 204)
    sink = InfluxSink(server.target, lambda _: None)
    sink.write(points(3))
    until(lambda: sink.dropped == 3)
    sink.write(points(4))
    sink.close()
    assert (sink.written, sink.dropped) == (4, 3)


def test_the_oldest_of_too_many_are_dropped(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influx, "KEPT", 10)
    server = serve(503)
    sink = InfluxSink(server.target, lambda _: None)
    sink.write(points(30))
    until(lambda: sink.trouble is not None)
    assert sink.dropped >= 20
    server.statuses = [204]
    until(lambda: sink.written == 10)
    sink.close()
    assert sorted(server.lines)[0].endswith(" 1020000000000")
    assert (sink.written, sink.dropped) == (10, 20)


def test_a_server_that_was_away_is_not_tried_again_at_the_end(serve: Callable[..., Server]) -> None:
    server = serve(503)
    sink = InfluxSink(server.target, lambda _: None)
    sink.write(points(3))
    until(lambda: sink.trouble is not None)
    sink.close()
    asked = server.asked
    sink.write(points(2))
    assert (sink.written, sink.dropped, server.asked) == (0, 5, asked)


def test_a_silent_server_holds_up_neither_the_run_nor_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influx, "FLUSH_EVERY_S", 0.02)
    monkeypatch.setattr(influx, "ANSWER_WITHIN_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        told: list[str] = []
        sink = InfluxSink(Target(f"http://127.0.0.1:{silent.getsockname()[1]}", "t", "o", "b"), told.append)
        sink.write(points(3))
        until(lambda: sink.trouble is not None)
        sink.write(points(3))
        sink.close()
    assert (sink.written, sink.dropped, sink.healthy) == (0, 6, False)
    assert "nothing within 0.2 s" in told[0]
