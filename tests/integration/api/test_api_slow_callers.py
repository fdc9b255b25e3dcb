"""Callers that are slow, stop, or hang up: each is answered or cut off in time, no event is left, others are served.

All of them come at once, to an API that waits for nobody longer than `BOUND_MS`, and each test looks at one.
"""

from __future__ import annotations

import json
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from services.api.serving.bounds import OWN_FILES
from settings.catalogue.api import API_POOL_SIZE
from settings.environment import UNSET
from tests.integration.api.server import ApiServer, serve, until
from tests.integration.api.test_api_connection import assert_refused

BOUND_MS = 1500
PATIENCE_S = 60
EVERY_S = 0.05
LIVE = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
WRITE = b'POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n{"text":"bread"}'
LONG = b"POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
DOCUMENTS = 1000
"""Far more of the OpenAPI document than all buffers between the API and a caller hold."""
HUNG_UP = 20
FILES = 200


def connected(api: ApiServer) -> socket.socket:
    return socket.create_connection((api.client.base_url.host, api.client.base_url.port or 80), PATIENCE_S)


def rest(connection: socket.socket) -> bytes:
    """All that comes until the end of the connection."""
    came = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            came += part
    return came


def trickled(api: ApiServer, begin: bytes, piece: bytes) -> bytes:
    """What comes back for a beginning, and pieces without an end, one after the other."""
    with connected(api) as connection:
        connection.sendall(begin)
        while not select.select([connection], [], [], EVERY_S)[0]:
            with suppress(ConnectionError):
                connection.sendall(piece)
        return rest(connection)


def waited(api: ApiServer, begin: bytes, *, ends: bool = False) -> bytes:
    """What comes back for some bytes and then none; `ends`: the caller says that no more will come."""
    with connected(api) as connection:
        connection.sendall(begin)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        return rest(connection)


def unread(api: ApiServer) -> int:
    """How many of the documents come when their reader begins only after the API has dropped it."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(PATIENCE_S)
        connection.connect((api.client.base_url.host, api.client.base_url.port or 80))
        own = connection.getsockname()
        connection.sendall(b"GET /schema HTTP/1.1\r\nHost: a\r\n\r\n" * DOCUMENTS)
        process = psutil.Process(api.process.pid)
        until(lambda: own in [one.raddr for one in process.net_connections("tcp")], "its connection")
        deadline = time.monotonic() + PATIENCE_S
        while own in [one.raddr for one in process.net_connections("tcp")]:
            assert time.monotonic() < deadline, "the API never dropped a caller that does not read"
            time.sleep(EVERY_S)
        return len(re.findall(rb"HTTP/1.1 200 ", rest(connection)))


def hung_up(api: ApiServer, request: bytes, *, hard: bool) -> bytes:
    """Gone as soon as it was sent, by the end of the connection or by a reset."""
    connection = connected(api)
    if hard:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sendall(request)
    connection.close()
    return b""


SLOW: dict[str, Callable[[ApiServer], object]] = {
    "head": lambda api: trickled(api, b"GET /livez HTTP/1.1\r\nX: ", b"a"),
    "line": lambda api: trickled(api, b"GET /", b"a"),
    "body": lambda api: trickled(api, LONG + b'{"text":"', b"a"),
    "chunks": lambda api: trickled(
        api, b"POST /todos HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"
    ),
    "blank lines": lambda api: trickled(api, b"", b"\r\n"),
    "after a refusal": lambda api: trickled(api, LONG.replace(b"1000", b"100000"), b"a"),
    "silent": lambda api: waited(api, b""),
    "half a head": lambda api: waited(api, LIVE[:10]),
    "half a body": lambda api: waited(api, LONG + b"{"),
    "idle": lambda api: waited(api, LIVE),
    "ended after a request": lambda api: waited(api, LIVE + WRITE, ends=True),
    "ended in a head": lambda api: waited(api, LIVE[:10], ends=True),
    "ended in a body": lambda api: waited(api, LONG + b"{", ends=True),
    "unread": unread,
    **{
        f"hung up {'hard ' * hard}{what} {number}": partial(hung_up, request=request, hard=hard)
        for what, request in {"in a body": LONG + b"{", "before the answer": WRITE}.items()
        for hard in (False, True)
        for number in range(HUNG_UP)
    },
}


@dataclass
class Seen:
    """What came of each, how those fared who came meanwhile, the events before and after, and the API's log."""

    came: dict[str, object]
    others: list[int] = field(default_factory=list)
    before: int = 0
    after: int = 0
    log: str = ""


@pytest.fixture(scope="module")
def seen(url: str, folder: Path) -> Iterator[Seen]:
    with serve(url, folder, API_CLIENT_TIMEOUT_MS=str(BOUND_MS)) as api:
        found = Seen({}, before=_events(api))
        over = threading.Event()

        def others() -> None:
            while not over.wait(EVERY_S):
                found.others.append(_ask(api, "/livez").status_code)

        beside = threading.Thread(target=others)
        beside.start()
        with ThreadPoolExecutor(len(SLOW)) as pool:
            asked = {name: pool.submit(caller, api) for name, caller in SLOW.items()}
        over.set()
        beside.join()
        found.came = {name: one.exception() or one.result() for name, one in asked.items()}
        found.after = _events(api)
        found.log = api.log.read_text()
        yield found


def _events(api: ApiServer) -> int:
    return int(_ask(api, "/stats").json()["eventCount"])


def _ask(api: ApiServer, path: str) -> httpx.Response:
    """Not by the client's own connection, which idles."""
    return httpx.get(api.client.base_url.join(path), timeout=PATIENCE_S)


@pytest.mark.parametrize("name", ["head", "line", "body", "chunks", "half a head", "half a body"])
def test_a_request_that_is_not_whole_in_time_is_refused_as_late(seen: Seen, name: str) -> None:
    came = seen.came[name]
    assert isinstance(came, bytes), came
    assert_refused(came, 408)


@pytest.mark.parametrize("name", ["silent", "blank lines"])
def test_one_that_asks_for_nothing_is_closed_without_a_word(seen: Seen, name: str) -> None:
    assert seen.came[name] == b""


def test_one_that_idles_after_an_answer_is_closed_without_another_word(seen: Seen) -> None:
    came = seen.came["idle"]
    assert isinstance(came, bytes), came
    assert re.findall(rb"HTTP/1.1 (\d+)", came) == [b"200"]


def test_a_body_that_goes_on_after_its_refusal_is_cut_off(seen: Seen) -> None:
    came = seen.came["after a refusal"]
    assert isinstance(came, bytes), came
    assert re.findall(rb"HTTP/1.1 (\d+)", came) == [b"413"]


def test_whoever_sends_no_more_is_still_answered(seen: Seen) -> None:
    came = seen.came["ended after a request"]
    assert isinstance(came, bytes), came
    assert re.findall(rb"HTTP/1.1 (\d+)", came) == [b"200", b"201"]


@pytest.mark.parametrize("name", ["ended in a head", "ended in a body"])
def test_whoever_ends_within_a_request_hears_so(seen: Seen, name: str) -> None:
    came = seen.came[name]
    assert isinstance(came, bytes), came
    assert_refused(came, 400)


def test_one_that_does_not_read_is_dropped_before_its_answers_end(seen: Seen) -> None:
    came = seen.came["unread"]
    assert isinstance(came, int), came
    assert 0 < came < DOCUMENTS


def test_others_are_served_meanwhile(seen: Seen) -> None:
    assert set(seen.others) == {200}


def test_an_event_is_left_by_whole_requests_alone(seen: Seen) -> None:
    """Of those who hung up before the answer the API may know or not; of a part of a request nothing is left."""
    assert [came for came in seen.came.values() if isinstance(came, BaseException)] == []
    whole = 1 + 2 * HUNG_UP
    assert 1 <= seen.after - seen.before <= whole


def test_no_caller_is_an_error_of_the_apis(seen: Seen) -> None:
    told = [json.loads(line) for line in seen.log.splitlines()]
    assert [line for line in told if line.get("level") not in ("info", "warning", "debug")] == []


def test_as_many_connections_as_there_are_files_for_and_no_more(url: str, folder: Path) -> None:
    most = FILES - OWN_FILES - API_POOL_SIZE.read(UNSET)
    limited = ("sh", "-c", f'ulimit -n {FILES}; exec "$@"', "sh")
    with serve(url, folder, before=limited) as api:
        stream = api.create()
        opened = [connected(api) for _ in range(most + 20)]
        try:
            # The client of this test has one, too.
            until(lambda: len(_told(opened)) == len(opened) - (most - 1), "those to hear that are too many")
            refused = _told(opened)
            for one in refused:
                assert b"\r\nretry-after: 1\r\n" in one.recv(65536)
            admitted = [one for one in opened if one not in refused]
            for one in admitted[:5]:
                one.sendall(LIVE)
                assert one.recv(65536).startswith(b"HTTP/1.1 200 ")
            assert api.client.put(f"/todos/{stream}", json={"text": "bread"}).status_code == 200
            admitted[0].close()
            until(lambda: _serves(api), "room for another caller")
        finally:
            for one in opened:
                one.close()


def _told(connections: list[socket.socket]) -> list[socket.socket]:
    """Those to whom the API has said something that they did not ask for."""
    return select.select(connections, [], [], 0)[0]


def _serves(api: ApiServer) -> bool:
    with closing(connected(api)) as connection, suppress(ConnectionError):
        connection.sendall(LIVE)
        return connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    return False
