"""What counts as written: 204 alone. Whatever else answers is told in one line that names the setting, and counted."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from metrics import influx
from metrics.influx import InfluxSink, write_once
from metrics.points import Point, RunTags
from metrics.target import Target

TAGS = RunTags("run", "serial", "global-order", "throughput", "tidemark")
SECRET = "s3cret"
OFFERED = 7
Answer = Callable[[socket.socket], None]


def points(count: int) -> list[Point]:
    return [TAGS.phase("load", 1000.0 + number, None) for number in range(count)]


class Raw:
    """A server that reads a request and then does as it is told."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=[connection], daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.asked.append(connection.recv(65536))
                self._answer(connection)
            except OSError:
                return

    def close(self) -> None:
        self._listening.close()


def said(status: str, body: str = "", *headers: str) -> Answer:
    """A whole answer."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", "Connection: close", *headers])
    return lambda connection: connection.sendall(f"{head}\r\n\r\n{body}".encode())


def raw(text: bytes) -> Answer:
    """These bytes, and the end."""
    return lambda connection: connection.sendall(text)


def dribble(connection: socket.socket) -> None:
    """A byte now and then, for ever: no single wait is long."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def headers_for_ever(connection: socket.socket) -> None:
    """Headers that do not end."""
    connection.sendall(b"HTTP/1.1 204 No Content\r\n")
    while True:
        connection.sendall(b"X: y")
        time.sleep(0.05)


URL = "correct INFLUX_URL"
ANSWERS: dict[str, tuple[Answer, str]] = {
    "200 of somebody else": (said("200 OK", "<html>hello</html>"), "answers 200 where InfluxDB answers 204"),
    "200 as json": (said("200 OK", "{}"), URL),
    "201, in part": (said("201 Created", "{}"), "answers 201 where InfluxDB answers 204"),
    "202": (said("202 Accepted"), URL),
    "206": (said("206 Partial Content", "x"), URL),
    "301": (
        said("301 Moved", "", "Location: http://127.0.0.1:1/x"),
        "elsewhere to http://127.0.0.1:1/x: correct INFLUX_URL",
    ),
    "302 to a login": (said("302 Found", "", f"Location: http://u:{SECRET}@proxy/login?to={SECRET}"), URL),
    "304": (said("304 Not Modified"), URL),
    "307": (said("307 Temporary Redirect", "", "Location: /api/v2/write"), URL),
    "308 to itself": (said("308 Permanent Redirect", "", "Location: ?again"), URL),
    "400": (said("400 Bad Request", '{"code":"invalid","message":"bad\\nline"}'), "refuses points: 400 badline"),
    "401": (said("401 Unauthorized"), "correct INFLUX_TOKEN"),
    "403": (said("403 Forbidden"), "correct INFLUX_TOKEN"),
    "404 of a wrong path": (said("404 Not Found", "<html>404 page not found</html>"), URL),
    "404 without a word": (said("404 Not Found"), URL),
    "404 of InfluxDB's own path": (said("404 Not Found", '{"code":"not found","message":"path not found"}'), URL),
    "404 of a bucket": (
        said("404 Not Found", '{"code":"not found","message":"bucket \\"b\\" not found"}'),
        "correct INFLUX_BUCKET",
    ),
    "404 of an organisation": (
        said("404 Not Found", '{"code":"not found","message":"organization name \\"o\\" not found"}'),
        "correct INFLUX_ORG",
    ),
    "404 of one of them": (said("404 Not Found", '{"code":"not found"}'), "correct INFLUX_ORG or INFLUX_BUCKET"),
    "405 of a web server": (said("405 Method Not Allowed"), URL),
    "407 of a proxy": (said("407 Proxy Authentication Required", "<html>"), "refuses points: 407"),
    "413": (said("413 Payload Too Large"), "refuses points: 413"),
    "422": (said("422 Unprocessable", '{"code":"x","message":"no"}'), "refuses points: 422 no"),
    "429": (said("429 Too Many Requests"), "refuses points: 429"),
    "500": (said("500 Internal Server Error"), "refuses points: 500"),
    "502 page of a proxy": (said("502 Bad Gateway", "<html>\x1b[31m</html>"), "refuses points: 502"),
    "503": (said("503 Service Unavailable"), "refuses points: 503"),
    "a body without end": (lambda c: c.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000_000), URL),
    "half an answer": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"), ""),
    "half a line": (raw(b"HTTP/1."), "gives no answer"),
    "half a status": (raw(b"HTTP/1.1 20"), "gives no answer"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "gives no answer"),
    # Cut or reset: that is a matter of which end was faster.
    "nothing": (raw(b""), "gives no answer (the connection was cut)|gives no answer (Connection reset by peer)"),
    "silence": (lambda _: time.sleep(5), "nothing within 0.2 s"),
    "a dribble": (dribble, "INFLUX_URL"),
    "headers for ever": (headers_for_ever, "INFLUX_URL"),
}

ENDLESS = ("silence", "a dribble", "headers for ever")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(influx, "FLUSH_EVERY_S", 0.02)
    if "name" not in request.fixturenames or request.getfixturevalue("name") in ENDLESS:
        monkeypatch.setattr(influx, "ANSWER_WITHIN_S", 0.2)


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Raw]]:
    servers: list[Raw] = []

    def make(answer: Answer) -> Raw:
        servers.append(Raw(answer))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def offer(url: str) -> tuple[InfluxSink, list[str]]:
    """Offer some points at once and more later, and close."""
    told: list[str] = []
    sink = InfluxSink(Target(url, SECRET, "o", "b"), told.append)
    sink.write(points(3))
    sink.settle()
    sink.write(points(OFFERED - 3))
    sink.close()
    return sink, told


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.usefixtures("quick")
def test_what_is_not_204_is_told_once_and_counted(name: str, serve: Callable[[Answer], Raw]) -> None:
    answer, expected = ANSWERS[name]
    sink, told = offer(serve(answer).url)
    assert (sink.written, sink.dropped) == (0, OFFERED)
    (line,) = told
    assert line == sink.trouble
    assert any(words in line for words in expected.split("|"))
    assert line.isprintable()
    assert SECRET not in line
    assert len(line) < 250


@pytest.mark.usefixtures("quick")
def test_204_is_written(serve: Callable[[Answer], Raw]) -> None:
    server = serve(said("204 No Content"))
    sink, told = offer(server.url)
    assert (sink.written, sink.dropped, told, sink.trouble) == (OFFERED, 0, [], None)
    assert server.asked[0].startswith(b"POST /api/v2/write?org=o&bucket=b&precision=ns HTTP/1.1\r\n")


@pytest.mark.parametrize("status", ["200 OK", "301 Moved", "401 Unauthorized", "404 Not Found", "405 No"])
@pytest.mark.usefixtures("quick")
def test_a_stranger_is_asked_once(status: str, serve: Callable[[Answer], Raw]) -> None:
    server = serve(said(status))
    offer(server.url)
    assert len(server.asked) == 1


@pytest.mark.usefixtures("quick")
def test_tls_that_is_none_is_said(serve: Callable[[Answer], Raw]) -> None:
    server = serve(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    sink, (line,) = offer(server.url.replace("http:", "https:"))
    assert (sink.written, sink.dropped) == (0, OFFERED)
    assert "no TLS that can be trusted" in line


@pytest.mark.usefixtures("quick")
def test_plain_http_to_a_tls_server_is_trouble(serve: Callable[[Answer], Raw]) -> None:
    def tls(connection: socket.socket) -> None:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).wrap_socket(connection, server_side=True)

    sink, told = offer(serve(tls).url)
    assert (sink.written, sink.dropped, len(told)) == (0, OFFERED, 1)


@pytest.mark.parametrize("token", ["токен", "a\nb"])
@pytest.mark.usefixtures("quick")
def test_a_token_that_can_not_be_sent_is_not_shown(token: str, serve: Callable[[Answer], Raw]) -> None:
    trouble = write_once(Target(serve(said("204 No Content")).url, token, "o", "b"), points(1))
    assert trouble is not None
    assert token not in trouble
    assert token.encode().hex() not in trouble


def test_an_answer_after_the_end_is_not_counted_twice(
    serve: Callable[[Answer], Raw], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "FLUSH_EVERY_S", 0.02)
    monkeypatch.setattr(influx, "ANSWER_WITHIN_S", 0.2)
    answered = threading.Event()

    def late(connection: socket.socket) -> None:
        for sign in b"HTTP/1.1 204 No Content\r\n\r\n":
            connection.sendall(bytes([sign]))
            time.sleep(0.05)
        answered.set()

    sink, told = offer(serve(late).url)
    counts = (sink.written, sink.dropped)
    assert sum(counts) == OFFERED
    assert answered.wait(20)
    time.sleep(0.1)
    assert (sink.written, sink.dropped) == counts
    assert len(told) == (sink.dropped > 0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.usefixtures("quick")
def test_a_thread_that_dies_is_told_and_its_points_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("metrics.influx_writer.Writer.write", fail)
    sink, told = offer("http://127.0.0.1:9")
    assert (sink.written, sink.dropped) == (0, OFFERED)
    assert told == ["InfluxDB at http://127.0.0.1:9 is not written to: ZeroDivisionError"]
