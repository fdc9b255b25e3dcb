"""Every refusal is a problem document and leaves no event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest

from services.api.http.requests import MAX_BODY
from tests.integration.api.server import UNKNOWN, ApiServer, assert_problem

TODO = f"/todos/{UNKNOWN}"
JSON = {"content-type": "application/json"}


@pytest.fixture(autouse=True)
def no_event_left(api: ApiServer) -> Iterator[None]:
    before = api.events()
    yield
    assert api.events() == before


@pytest.fixture(scope="module")
def known(api: ApiServer) -> str:
    return f"/todos/{api.create()}"


BODIES = [
    (b"", 400, "malformed-request"),
    (b"{", 400, "malformed-request"),
    (b'{"text":"a"}}', 400, "malformed-request"),
    (b"{'text':'a'}", 400, "malformed-request"),
    (b'{"text":NaN}', 400, "malformed-request"),
    (b'{"text":"\xff"}', 400, "malformed-request"),
    (b'{"text":"\xed\xa0\x80"}', 400, "malformed-request"),
    (b'\xef\xbb\xbf{"text":"a"}', 400, "malformed-request"),
    ('{"text":"a"}'.encode("utf-16"), 400, "malformed-request"),
    (b'{"text":"a","x":' + b"[" * 15_000 + b"]" * 15_000 + b"}", 400, "malformed-request"),
    (b"null", 422, "invalid-text"),
    (b"[]", 422, "invalid-text"),
    (b"{}", 422, "invalid-text"),
    (b'{"Text":"a"}', 422, "invalid-text"),
    (b'{"text":null}', 422, "invalid-text"),
    (b'{"text":1}', 422, "invalid-text"),
    (b'{"text":["a"]}', 422, "invalid-text"),
    (b'{"text":""}', 422, "invalid-text"),
    (b'{"text":" \\n\\t "}', 422, "invalid-text"),
    (b'{"text":"a\\u0000"}', 422, "invalid-text"),
    (b'{"text":"\\ud800"}', 422, "invalid-text"),
    (b'{"text":"a\\udc00\\ud83d"}', 422, "invalid-text"),
    (json.dumps({"text": "x" * 2001}).encode(), 422, "invalid-text"),
]


@pytest.mark.parametrize(("body", "status", "name"), BODIES, ids=[str(body[:24]) for body, _, _ in BODIES])
def test_a_bad_body(api: ApiServer, known: str, body: bytes, status: int, name: str) -> None:
    assert_problem(api.client.post("/todos", content=body, headers=JSON), status, name)
    assert_problem(api.client.put(known, content=body, headers=JSON), status, name)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large(api: ApiServer, known: str, chunked: bool) -> None:
    body = json.dumps({"text": "a", "filler": "x" * MAX_BODY}).encode()
    for method, path in (("POST", "/todos"), ("PUT", known)):
        content = iter([body[:20_000], body[20_000:]]) if chunked else body
        assert_problem(api.client.request(method, path, content=content, headers=JSON), 413)


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"]
)
def test_a_body_that_is_declared_to_be_no_json(api: ApiServer, known: str, media: str) -> None:
    for method, path in (("POST", "/todos"), ("PUT", known)):
        answer = api.client.request(method, path, content=b'{"text":"a"}', headers={"content-type": media})
        assert_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize("value", ["1", 'W/"1"', '"a"', '"-1"', '"1", "2"', '""', '"1234567890"', '"1', '"١"'.encode()])
def test_a_bad_if_match(api: ApiServer, known: str, value: str | bytes) -> None:
    headers = [(b"If-Match", value.encode() if isinstance(value, str) else value)]
    assert_problem(api.client.put(known, json={"text": "a"}, headers=headers), 400, "malformed-request")
    assert_problem(api.client.delete(known, headers=headers), 400, "malformed-request")


@pytest.mark.parametrize("value", [b"", b"x" * 201, b"tab\there", "schlüssel".encode(), b"\xff"])
def test_a_bad_idempotency_key(api: ApiServer, known: str, value: bytes) -> None:
    headers = [(b"Idempotency-Key", value)]
    assert_problem(api.client.post("/todos", json={"text": "a"}, headers=headers), 400, "malformed-request")
    assert_problem(api.client.put(known, json={"text": "a"}, headers=headers), 400, "malformed-request")
    assert_problem(api.client.delete(known, headers=headers), 400, "malformed-request")


@pytest.mark.parametrize(
    "id",
    [
        UNKNOWN,
        "x",
        "todo-",
        UNKNOWN + "0",
        UNKNOWN.replace("0", "G"),
        UNKNOWN.upper(),
        "x" * 5000,
        "%00",
        "%ff%fe",
        UNKNOWN + "%0a",
        "%ed%a0%80",
        "..%2fstats",
        "'; drop table events; --",
    ],
)
def test_an_unknown_todo(api: ApiServer, id: str) -> None:
    for answer in (
        api.client.get(f"/todos/{id}"),
        api.client.put(f"/todos/{id}", json={"text": "a"}),
        api.client.put(f"/todos/{id}", json={"text": "a"}, headers={"If-Match": '"0"', "Idempotency-Key": "k"}),
        api.client.delete(f"/todos/{id}"),
        api.client.delete(f"/todos/{id}", headers={"If-Match": '"1"'}),
    ):
        assert assert_problem(answer, 404, None if "%2f" in id else "todo-not-found")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "limit=1.5",
        "limit=",
        "limit=99999999999999999999",
        "limit=%00",
        "after=x",
        f"after={UNKNOWN}0",
        f"after={UNKNOWN}%0a",
        "after=%00",
        "after=%ff",
    ],
)
def test_a_bad_page(api: ApiServer, query: str) -> None:
    problem = assert_problem(api.client.get(f"/todos?{query}"), 400)
    assert problem["detail"].startswith(query.split("=", maxsplit=1)[0])


@pytest.mark.parametrize(
    "query",
    [
        "at_least_version=0",
        "at_least_version=x",
        "at_least_version=",
        "at_least_version=null",
        "at_least_version=1000000000",
        "at_least_version=99999999999999999999",
        "at_least_version=1&wait=-1",
        "at_least_version=1&wait=10001",
        "at_least_version=1&wait=1s",
        "at_least_version=1&wait=1e400",
    ],
)
def test_a_bad_wait(api: ApiServer, known: str, query: str) -> None:
    assert_problem(api.client.get(f"{known}?{query}"), 400)


@pytest.mark.parametrize(
    "path", ["/", "/todo", "/todos/a/b", "/schema/nothing", "/schema/nothing.json", "/%00", "/%ff"]
)
def test_no_such_route(api: ApiServer, path: str) -> None:
    assert_problem(api.client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/todos", {"GET", "POST", "OPTIONS"}),
        ("POST", TODO, {"GET", "PUT", "DELETE", "OPTIONS"}),
        ("PATCH", TODO, {"GET", "PUT", "DELETE", "OPTIONS"}),
        ("GET", "/drain", {"POST", "OPTIONS"}),
        ("POST", "/stats", {"GET", "OPTIONS"}),
        ("PURGE", "/stats", {"GET", "OPTIONS"}),
    ],
)
def test_a_method_that_a_route_does_not_know(api: ApiServer, method: str, path: str, allowed: set[str]) -> None:
    answer = api.client.request(method, path)
    assert_problem(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == allowed


def test_a_bad_host(api: ApiServer) -> None:
    assert_problem(api.client.get("/stats", headers={"Host": "a b"}), 400)


def test_a_refusal_does_not_end_the_connection(api: ApiServer, known: str) -> None:
    refused: list[tuple[str, str, bytes, dict[str, str]]] = [
        ("POST", "/todos", b"{", JSON),
        ("POST", "/todos", b'{"text":"a"}', {"content-type": "text/plain"}),
        ("PUT", "/todos/x", b'{"text":"a"}', JSON),
        ("PUT", known, b'{"text":"a"}', {**JSON, "If-Match": "x"}),
    ]
    connection = HTTPConnection(api.client.base_url.host, api.client.base_url.port, timeout=20)
    with closing(connection):
        connection.connect()
        first = connection.sock.getsockname()
        for method, path, body, headers in refused * 10:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            assert 400 <= answer.status < 500
            assert connection.sock.getsockname() == first
