"""The direct way and the way through Litestar end alike: the same status, headers, body, and the same events."""

from __future__ import annotations

import json
import re
import secrets
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.api.protocol import MAX_HEAD
from tests.integration.api.server import UNKNOWN, ApiServer

BY_LITESTAR = "?direct=no"
"""A query that no route reads; with any query a request goes through Litestar."""

MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Parts = tuple[tuple[str, str], dict[str, str], bytes | None]

bodies = st.sampled_from(
    [
        None,
        b"",
        b'{"text":"milk"}',
        b'{"text":"milk","more":[1]}',
        b'{"text":""}',
        b'{"text":"\\ud800"}',
        b'{"text":1}',
        b"[]",
        b"{",
        b"\xff",
        b'{"text":"' + b"a" * 2001 + b'"}',
        b'{"text":"' + b"a" * 40_000 + b'"}',
    ]
)
HEADERS = {
    "If-Match": ['"1"', '"2"', "*", "1", '"0"', "", '"x"', "é"],
    "Idempotency-Key": ["KEY", "", "é", "a" * 201],
    "Content-Type": ["application/json", "text/plain", "APPLICATION/JSON; charset=utf-8", ""],
    "X-Request-Id": ["mine", "bad id"],
    "Accept": ["text/html", "*/*"],
}
headers = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in HEADERS.items()})
targets = st.sampled_from(
    [("POST", "/todos"), ("PUT", "/todos/TODO"), ("DELETE", "/todos/TODO"), ("GET", "/todos/TODO")]
)
odd_targets = st.tuples(
    st.sampled_from(["POST", "PUT", "DELETE", "GET", "HEAD", "PATCH", "OPTIONS"]),
    st.sampled_from(["/todos", "/todos/", "/todos/" + UNKNOWN, "/todos/x", "/todos/TODO/", "/Todos"]),
)
one_header = st.sampled_from([{name: value} for name, values in HEADERS.items() for value in values])
requests = st.one_of(
    st.tuples(targets, one_header, st.just(b'{"text":"milk"}')),
    st.tuples(targets, headers, bodies),
    st.tuples(odd_targets, headers, bodies),
)


def told(api: ApiServer, parts: Parts, todo: str, key: str, suffix: str) -> tuple[Any, ...]:
    """Everything that the caller sees, without what differs from one request to the next by its nature."""
    (method, path), sent, body = parts
    answer = api.client.request(
        method,
        path.replace("TODO", todo) + suffix,
        headers={name.encode(): value.replace("KEY", key).encode("latin-1") for name, value in sent.items()},
        content=body,
    )
    # Positions grow, and with them the length of the body.
    seen = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
    if method != "HEAD" and "content-length" in seen:
        assert int(seen.pop("content-length")) == len(answer.content)
    assert "x-request-id" in answer.headers
    text = re.sub(r"todo-[0-9a-f]{32}", "todo-…", answer.text.replace(key, "KEY"))
    text = re.sub(r'"position":\d+|"requestId":"[^"]*"', "…", text)
    seen["location"] = re.sub(r"[0-9a-f]{32}", "…", seen.get("location", ""))
    if sent.get("X-Request-Id") == "mine":
        assert answer.headers["x-request-id"] == "mine"
    return answer.status_code, seen, text


@MANY
@given(before=st.lists(requests, max_size=2), last=requests)
def test_both_ways_end_alike(api: ApiServer, before: list[Parts], last: Parts) -> None:
    ends = []
    for suffix in ("", BY_LITESTAR):
        todo, key = api.create(), secrets.token_hex(8)
        ends.append([told(api, parts, todo, key, suffix) for parts in (*before, last)])
    assert ends[0] == ends[1]


def raw(api: ApiServer, request: bytes) -> bytes:
    """What comes back for bytes as they are."""
    with socket.create_connection((api.client.base_url.host, api.client.base_url.port or 80), 20) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize(
    "head",
    [
        b'If-Match: "1"\r\nIf-Match: "1"\r\nContent-Length: 15\r\n\r\n{"text":"bread"}'.replace(b"15", b"16"),
        b'Transfer-Encoding: chunked\r\n\r\n10\r\n{"text":"bread"}\r\n0\r\n\r\n',
    ],
    ids=["a header twice", "chunks"],
)
def test_what_is_not_plain_is_served_too(api: ApiServer, head: bytes) -> None:
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


@pytest.mark.parametrize("part", ["path", "header"])
def test_a_head_without_end_is_cut_off(api: ApiServer, part: str) -> None:
    begin = b"GET /" if part == "path" else b"GET / HTTP/1.1\r\nX: "
    answer = raw(api, begin + b"a" * (MAX_HEAD + 1))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"too long" in answer


def test_a_long_head_is_read(api: ApiServer) -> None:
    answer = raw(api, b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: " + b"a" * 60_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_trailers_without_end_are_cut_off(api: ApiServer) -> None:
    begin = b"POST /todos HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
    answer = raw(api, begin + b"a" * (MAX_HEAD + 1))
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_trailer_is_no_header(api: ApiServer) -> None:
    head = b"POST /todos HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    request = head + b'10\r\n{"text":"bread"}\r\n0\r\nIdempotency-Key: trailing\r\n\r\n'
    streams = {json.loads(raw(api, request).partition(b"\r\n\r\n")[2])["stream"] for _ in range(2)}
    assert len(streams) == 2


def test_what_can_not_be_read_is_no_answer_to_the_request_before_it(api: ApiServer) -> None:
    place = f"/todos/{api.create()}".encode()
    put = b"PUT " + place + b' HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n{"text":"bread"}'
    assert not raw(api, put + b"NO HTTP\r\n\r\n").startswith(b"HTTP/1.1 400 ")
