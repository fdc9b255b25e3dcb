"""An answer that comes byte by byte is given up as a whole, though no single wait for it was long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from services.loadgen.http_client import HttpClient, HttpError
from services.loadgen.workload.http import session as session_module
from services.loadgen.workload.http.session import HttpSession

WITHIN_S = 0.3
EVERY_S = 0.02
BEGINNINGS = {
    "head": b"HTTP/1.1 200 OK\r\nX: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    "without a length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
}


@pytest.fixture(params=list(BEGINNINGS.values()), ids=list(BEGINNINGS))
def trickling(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server whose answers have a beginning and no end."""
    over = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=trickle, args=(connection,), daemon=True).start()

    def trickle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(request.param)
            while not over.wait(EVERY_S):
                connection.sendall(b"a")

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)


def test_a_call_that_is_no_load_is_given_up_as_a_whole(trickling: str) -> None:
    client = HttpClient(trickling, WITHIN_S)
    with pytest.raises(HttpError, match=rf"GET /stats: .* within {WITHIN_S} s"):
        client.get("/stats")
    client.close()


def test_a_users_request_is_lost_as_a_whole(trickling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "WHOLE_S", WITHIN_S)
    began = time.monotonic()
    with closing(HttpSession(trickling)) as session:
        lost = session.request("GET", "/todos")
    assert (lost.status, str(lost.error)) == (0, f"the answer was not whole within {WITHIN_S:g} s")
    assert time.monotonic() - began >= WITHIN_S
