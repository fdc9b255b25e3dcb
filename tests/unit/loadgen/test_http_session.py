"""A request of the load goes out once: what a broken connection swallows is told as lost, never sent again."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from services.loadgen.measure.visibility_probe import LostAnswer, send_once
from services.loadgen.workload.http import connections
from services.loadgen.workload.http import session as session_module
from services.loadgen.workload.http.session import IDLE_MOST_S, HttpSession
from settings import UNSET
from settings.catalogue.api import API_CLIENT_TIMEOUT_MS

WRITES = ("POST", "PUT", "DELETE")
PATIENCE_S = 30.0
SLOW_S = 0.2
WHOLE = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: "7"\r\n\r\n{}'
ANSWERS = {
    "/parts": [WHOLE[:20], WHOLE[20:50], WHOLE[50:-1], WHOLE[-1:]],
    "/chunked": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n}\r\n0\r\n\r\n"],
    "/interim": [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", WHOLE],
    "/to-the-end": [b"HTTP/1.1 200 OK\r\nETag: x\r\n\r\n{", b"}"],
    "/no-content": [b'HTTP/1.1 204 No Content\r\nETag: "7"\r\n\r\n'],
    "/told-last": [WHOLE.replace(b"ETag", b"Connection: close\r\nETag")],
    "/half": [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}"],
    "/twice": [WHOLE + WHOLE],
    "/garbage": [b"SSH-2.0-OpenSSH\r\n"],
}


class Server:
    """Answers `/ok`; hangs up on `/close` and `/reset` once the request was read, and after the answer of `/last`."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while request := self._read(connection):
                self.seen.append(request)
                path = request.split()[1]
                if path == "/reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if path in ("/reset", "/close"):
                    return
                if path == "/slow":
                    time.sleep(SLOW_S)
                for part in ANSWERS.get(path, [WHOLE]):
                    connection.sendall(part)
                if path in ("/last", "/to-the-end", "/half"):
                    return

    def _read(self, connection: socket.socket) -> str:
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := connection.recv(4096)):
                return ""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.splitlines() if line.lower().startswith(b"content-length")), 0)
        parts = [body]
        while (got := sum(map(len, parts))) < length:
            parts.append(connection.recv(min(length - got, 1 << 20)))
        body = b"".join(parts)
        return f"{head.decode()}\n{body.decode()}"


def until_hung_up(url: str) -> None:
    """Return once the kernel has a hang-up of the server for a connection of this process: nothing is under way."""
    server, deadline = (urlsplit(url).hostname, urlsplit(url).port), time.monotonic() + PATIENCE_S
    while (server, psutil.CONN_CLOSE_WAIT) not in [
        (tuple(one.raddr), one.status) for one in psutil.Process().net_connections("tcp")
    ]:
        assert time.monotonic() < deadline, "the server did not hang up"
        time.sleep(0.001)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.mark.parametrize("path", ["/close", "/reset"])
@pytest.mark.parametrize("method", WRITES)
def test_a_write_whose_connection_breaks_is_sent_once(method: str, path: str, server: Server) -> None:
    with closing(HttpSession(server.url)) as session:
        assert session.request("GET", "/ok").status == 200
        lost = session.request(method, path, b"{}")
        assert (lost.status, lost.error is not None) == (0, True)
        assert [request.split()[0] for request in server.seen] == ["GET", method]
        assert session.request("GET", "/ok").status == 200


def test_one_connection_serves_many_requests_and_a_closed_one_is_replaced_before_the_next(server: Server) -> None:
    with closing(HttpSession(server.url)) as session:
        for _ in range(3):
            answer = session.request("PUT", "/ok", b'{"text": "a"}', "run:user-1.1")
            assert (answer.status, answer.content, answer.header(b"etag")) == (200, b"{}", '"7"')
        assert server.connections == 1
        assert "X-Request-Id: run:user-1.1" in server.seen[0]
        assert server.seen[0].endswith('{"text": "a"}')
        assert session.request("PUT", "/last", b"{}").status == 200
        until_hung_up(server.url)
        assert session.request("DELETE", "/ok").status == 200
        assert server.connections == 2


@pytest.mark.parametrize(
    ("path", "status", "content", "kept"),
    [
        ("/parts", 200, b"{}", True),
        ("/chunked", 200, b"{}", True),
        ("/interim", 200, b"{}", True),
        ("/no-content", 204, b"", True),
        ("/to-the-end", 200, b"{}", False),
        ("/told-last", 200, b"{}", False),
        ("/half", 0, b"", False),
        ("/twice", 0, b"", False),
        ("/garbage", 0, b"", False),
    ],
)
def test_an_answer_is_whole_or_lost(path: str, status: int, content: bytes, kept: bool, server: Server) -> None:
    with closing(HttpSession(server.url)) as session:
        answer = session.request("PUT", path, b"{}")
        assert (answer.status, answer.content, answer.error is None) == (status, content, status > 0)
        again = session.request("GET", "/ok")
        assert (again.status, again.content) == (200, b"{}")
        assert server.connections == (1 if kept else 2)
        assert [request.split()[0] for request in server.seen] == ["PUT", "GET"]


def test_a_request_and_an_answer_larger_than_the_buffers_go_through(server: Server) -> None:
    large = b"x" * 20_000_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large)
    with closing(HttpSession(server.url)) as session, pytest.MonkeyPatch.context() as patch:
        patch.setitem(ANSWERS, "/large", [head, large])
        answer = session.request("PUT", "/large", large)
    assert (answer.status, answer.content == large) == (200, True)
    assert server.seen[0].endswith(large[-100:].decode())


def test_a_connection_that_was_idle_for_long_is_given_up_before_its_server_may_close_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(HttpSession(server.url)) as session:
        session.request("GET", "/ok")
        monkeypatch.setattr(session_module, "IDLE_MOST_S", 0.0)
        assert session.request("PUT", "/ok", b"{}").status == 200
        assert server.connections == 2
    assert API_CLIENT_TIMEOUT_MS.read(UNSET) / 1000 / 10 > IDLE_MOST_S


def test_a_server_that_is_silent_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "/silent", [])
    with closing(HttpSession(server.url)) as session:
        with monkeypatch.context() as patch:
            patch.setattr(connections, "TIMEOUT_S", 0.05)
            lost = session.request("PUT", "/silent", b"{}")
        assert (lost.status, str(lost.error)) == (0, "timed out")
        assert session.request("GET", "/ok").status == 200
    assert [request.split()[0] for request in server.seen] == ["PUT", "GET"]


def test_each_answer_is_waited_for_anew(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "TIMEOUT_S", 1.5)
    with closing(HttpSession(server.url)) as session:
        answers = [session.request("GET", "/slow").status for _ in range(9)]
    assert answers == [200] * 9, "what they took together is longer than one may take"
    assert server.connections == 1


def test_a_server_that_is_not_there_is_told_in_words(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://me:pass%40word@127.0.0.1:{free.getsockname()[1]}"
    answer = HttpSession(url).request("GET", "/ok")
    assert answer.status == 0
    assert "refused" in str(answer.error)


def test_a_login_in_the_address_is_sent_as_a_header(server: Server) -> None:
    with closing(HttpSession(server.url.replace("//", "//me:pass%40word@"))) as session:
        session.request("GET", "/ok")
    assert "Authorization: Basic bWU6cGFzc0B3b3Jk" in server.seen[0]
    assert "\r\nHost: 127.0.0.1:" in server.seen[0]


@pytest.mark.parametrize("path", ["/close", "/reset"])
async def test_the_visibility_probe_sends_a_write_once(path: str, server: Server) -> None:
    async with aiohttp.ClientSession(server.url, middlewares=(send_once,)) as session:
        with pytest.raises(LostAnswer):
            await session.put(path, json={"text": "a"})
    assert [request.split()[0] for request in server.seen] == ["PUT"]
