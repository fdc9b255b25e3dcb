"""HTTP as bytes: what is sent ahead, in chunks, without end, cut off, or can not be read, and the answers' order."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Sequence

import pytest

from services.api.serving.bounds import MAX_CHUNKED, MAX_HEAD, MAX_LINE
from tests.integration.api.server import ApiServer


def raw(api: ApiServer, *requests: bytes) -> bytes:
    """What comes back for bytes as they are, each part in a packet of its own."""
    with socket.create_connection((api.client.base_url.host, api.client.base_url.port or 80), 20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sender = threading.Thread(target=_send, args=(connection, requests))
        sender.start()
        answer = b""
        while part := connection.recv(65536):
            answer += part
        sender.join()
    return answer


def assert_refused(answer: bytes, status: int) -> None:
    """The one answer that came is a problem document of the connection itself, which then ended."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.lower().splitlines()
    assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"%d" % status], answer
    assert {b"content-type: application/problem+json", b"connection: close"} <= set(lines)
    assert b"content-length: %d" % len(body) in lines
    problem = json.loads(body)
    assert (problem["status"], problem["type"]) == (status, "about:blank")
    assert problem["title"]
    assert problem["detail"]


def _send(connection: socket.socket, requests: Sequence[bytes]) -> None:
    with contextlib.suppress(ConnectionError):
        for request in requests:
            connection.sendall(request)


@pytest.mark.parametrize(
    "head",
    [
        b'If-Match: "1"\r\nIf-Match: "1"\r\nContent-Length: 15\r\n\r\n{"text":"bread"}'.replace(b"15", b"16"),
        b'Transfer-Encoding: chunked\r\n\r\n10\r\n{"text":"bread"}\r\n0\r\n\r\n',
    ],
    ids=["a header twice", "chunks"],
)
def test_odd_forms_of_a_request_are_served(api: ApiServer, head: bytes) -> None:
    place = f"/todos/{api.create()}".encode()
    answer = raw(api, b"PUT " + place + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + head)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["version"] == 2


def test_requests_on_one_connection_are_answered_in_their_order(api: ApiServer) -> None:
    body = b'{"text":"bread"}'
    place = f"/todos/{api.create()}".encode()
    put = b"PUT " + place + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n" + body
    last = b"DELETE " + place + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = raw(api, put * 3 + last)
    assert re.findall(rb'etag: "(\d+)"', answer) == [b"2", b"3", b"4", b"5"]


@pytest.mark.parametrize(
    ("begin", "most", "status"),
    [
        (b"GET /", MAX_LINE, 414),
        (b"GET /todos?after=", MAX_LINE, 414),
        (b"A", MAX_LINE, 414),
        (b"GET / HTTP/1.1\r\nX: ", MAX_HEAD, 431),
        (b"GET / HTTP/1.1\r\nX", MAX_HEAD, 431),
    ],
    ids=["path", "query", "method", "value of a header", "name of a header"],
)
def test_a_head_without_end_is_cut_off(api: ApiServer, begin: bytes, most: int, status: int) -> None:
    assert_refused(raw(api, begin + b"a" * (most + 1)), status)


def test_many_small_headers_are_cut_off(api: ApiServer) -> None:
    assert_refused(raw(api, b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * (MAX_HEAD // 6)), 431)


def test_a_long_line_is_read(api: ApiServer) -> None:
    line = b"GET /livez?x=" + b"a" * (MAX_LINE - 100) + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert raw(api, line).startswith(b"HTTP/1.1 200 ")
    assert raw(api, *(line[at : at + 1000] for at in range(0, len(line), 1000))).startswith(b"HTTP/1.1 200 ")


def test_a_long_head_is_read(api: ApiServer) -> None:
    answer = raw(api, b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: " + b"a" * 60_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_trailers_without_end_are_cut_off(api: ApiServer) -> None:
    begin = b"POST /todos HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
    assert_refused(raw(api, begin + b"a" * (MAX_CHUNKED + 1)), 413)


def test_a_trailer_is_no_header(api: ApiServer) -> None:
    head = b"POST /todos HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = head + b'10\r\n{"text":"bread"}\r\n0\r\nIdempotency-Key: trailing\r\n\r\n'
    streams = {json.loads(raw(api, request).partition(b"\r\n\r\n")[2])["stream"] for _ in range(2)}
    assert len(streams) == 2


def test_what_can_not_be_read_is_refused_after_the_answer_to_the_request_before_it(api: ApiServer) -> None:
    place = f"/todos/{api.create()}".encode()
    put = b"PUT " + place + b' HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n{"text":"bread"}'
    answer = raw(api, put + b"NO HTTP\r\n\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"400"]


def test_a_request_may_come_byte_by_byte(api: ApiServer) -> None:
    place = f"/todos/{api.create()}".encode()
    put = b"\r\nPUT " + place + b' HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n{"text":"bread"}'
    last = b"DELETE " + place + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = raw(api, *(bytes([byte]) for byte in put + last))
    assert re.findall(rb'etag: "(\d+)"', answer) == [b"2", b"3"]


@pytest.mark.parametrize("size", [40_000, 1_000_000])
def test_a_body_that_is_too_long_is_read_past(api: ApiServer, size: int) -> None:
    place = f"/todos/{api.create()}".encode()
    put = b"PUT " + place + b" HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size
    last = b"DELETE " + place + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = raw(api, put + last)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"413", b"204"]


@pytest.mark.parametrize("size", [40_000, 200_000])
def test_chunks_that_are_too_long_are_refused(api: ApiServer, size: int) -> None:
    head = b"POST /todos HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(api, head + b"%x\r\n" % size + b"a" * size + b"\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_what_is_sent_ahead_is_bounded_and_answered_in_order(api: ApiServer) -> None:
    place = f"/todos/{api.create()}".encode()
    put = b"PUT " + place + b' HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n{"text":"bread"}'
    last = b"DELETE " + place + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = raw(api, put * 2_000 + last)
    assert re.findall(rb'etag: "(\d+)"', answer) == [b"%d" % version for version in range(2, 2_003)]


def test_a_caller_that_expects_it_is_told_to_continue(api: ApiServer) -> None:
    head = b"POST /todos HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 16\r\n\r\n"
    with socket.create_connection((api.client.base_url.host, api.client.base_url.port or 80), 20) as connection:
        connection.sendall(head)
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"text":"bread"}')
        assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")


def test_what_is_no_http_is_refused_at_once(api: ApiServer) -> None:
    assert_refused(raw(api, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400)


@pytest.mark.parametrize(
    "length",
    [
        b"Content-Length: -1",
        b"Content-Length: 0x10",
        b"Content-Length: 1_6",
        b"Content-Length: 16 16",
        b"Content-Length: " + b"9" * 100,
        b"Content-Length: 16\r\nContent-Length: 17",
        b"Content-Length: 16\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: chunked, gzip",
    ],
)
def test_a_length_that_is_none_is_refused_and_leaves_no_event(api: ApiServer, length: bytes) -> None:
    before = api.events()
    head = b"POST /todos HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + length + b"\r\n\r\n"
    assert_refused(raw(api, head + b'{"text":"bread"}'), 400)
    assert api.events() == before


def test_what_is_longer_than_its_length_is_no_part_of_the_request(api: ApiServer) -> None:
    before = api.events()
    answer = raw(api, b'POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n{"text":"bread"}{"text":"more"}')
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"201", b"400"]
    assert api.events() == before + 1


@pytest.mark.parametrize(
    ("line", "statuses"),
    [
        (b"OPTIONS * HTTP/1.1", {b"404"}),
        (b"CONNECT a:1 HTTP/1.1", {b"400"}),
        (b"GET http://a/livez HTTP/1.1", {b"200"}),
        (b"GET //livez HTTP/1.1", {b"200"}),
        (b"GET /%00%ff%2e%2e/livez HTTP/1.1", {b"404"}),
        (b"GET /todos/\xff HTTP/1.1", {b"400", b"404"}),
        (b"GET ?x HTTP/1.1", {b"400", b"404"}),
        (b"GET /livez HTTP/1.0", {b"200"}),
        (b"GET /livez HTTP/9.9", {b"400"}),
        (b"GET /livez", {b"200"}),
        (b"PRI * HTTP/2.0", {b"400"}),
        (b"\0 /livez HTTP/1.1", {b"400"}),
    ],
)
def test_no_request_line_is_an_error_of_the_apis(api: ApiServer, line: bytes, statuses: set[bytes]) -> None:
    answer = raw(api, line + b"\r\nHost: a\r\nConnection: close\r\n\r\n")
    found = re.findall(rb"HTTP/1.1 (\d+)", answer)
    assert len(found) == 1, answer
    assert set(found) <= statuses
    if found[0] >= b"400":
        assert b"\r\ncontent-type: application/problem+json\r\n" in answer.lower()


def test_an_upgrade_that_is_asked_for_is_passed_over(api: ApiServer) -> None:
    asked = b"Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    body = b'Content-Length: 16\r\n\r\n{"text":"bread"}'
    last = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = raw(api, b"GET /livez HTTP/1.1\r\n" + asked + b"\r\n", b"POST /todos HTTP/1.1\r\n" + asked + body, last)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"201", b"200"]
