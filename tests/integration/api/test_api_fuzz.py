"""Whatever comes in, the answer is never a 5xx, and events are left by acknowledged writes only."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api.server import UNKNOWN, ApiServer

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
texts = st.text(st.characters(codec=None), max_size=20) | st.text(max_size=2100)
documents = st.builds(
    json.dumps,
    values
    | st.builds(
        lambda text, rest: {**rest, "text": text}, texts | values, st.dictionaries(st.text(), values, max_size=3)
    ),
)
broken = st.builds(
    lambda text, at, junk: text.encode()[:at] + junk, documents, st.integers(0, 60), st.binary(max_size=8)
)
bodies = st.binary(max_size=200) | documents.map(str.encode) | broken
header_values = st.binary(max_size=250).map(lambda raw: bytes(c for c in raw if c not in b"\r\n\0"))
headers = st.dictionaries(
    st.sampled_from(
        ["Idempotency-Key", "If-Match", "X-Request-Id", "Accept", "Cookie", "Content-Encoding", "Expect-Not"]
    ),
    header_values | st.sampled_from([b'"1"', b'"2"', b"*", b"key"]),
    max_size=3,
)


class Raw:
    """A client that sends what it is given, each request on its own connection, and keeps what was acknowledged."""

    def __init__(self, api: ApiServer) -> None:
        self._address = (api.client.base_url.host, api.client.base_url.port or 80)
        self.acknowledged: set[tuple[str, int]] = set()

    def send(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, bytes] | None = None
    ) -> None:
        with closing(HTTPConnection(*self._address, timeout=20)) as connection:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
        self._check(answer, content)
        if method in ("POST", "PUT") and answer.status < 300:
            document = json.loads(content)
            self.acknowledged.add((document["stream"], document["version"]))

    def _check(self, answer: HTTPResponse, content: bytes) -> None:
        assert answer.status < 500, content
        # A 400 without a request id is the server's own: bytes that are no HTTP never reach the application.
        if answer.status >= 400 and answer.headers["x-request-id"]:
            assert answer.headers["content-type"] == "application/problem+json"
            assert json.loads(content)["status"] == answer.status


@pytest.fixture(scope="module")
def raw(api: ApiServer) -> Raw:
    return Raw(api)


@pytest.fixture(scope="module")
def todo(api: ApiServer, raw: Raw) -> str:
    stream = api.create()
    raw.acknowledged.add((stream, 1))
    return stream


@MANY
@given(body=bodies, more=headers)
def test_any_body(raw: Raw, todo: str, body: bytes, more: dict[str, bytes]) -> None:
    raw.send("POST", "/todos", body, {"Content-Type": b"application/json", **more})
    raw.send("PUT", f"/todos/{todo}", body, {"Content-Type": b"application/json", **more})


@MANY
@given(path=st.binary(max_size=60), method=st.sampled_from(["GET", "PUT", "DELETE", "POST"]), more=headers)
def test_any_path(raw: Raw, path: bytes, method: str, more: dict[str, bytes]) -> None:
    escaped = "".join(f"%{byte:02x}" for byte in path)
    for prefix in ("/todos/", f"/todos/{UNKNOWN}", "/", "/schema/"):
        raw.send(method, prefix + escaped, b'{"text":"a"}' if method == "PUT" else b"", more)


@MANY
@given(
    query=st.lists(
        st.tuples(
            st.sampled_from(["limit", "after", "at_least_version", "x", "%00"]),
            st.binary(max_size=8).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)) | st.integers().map(str),
        ),
        max_size=4,
    )
)
def test_any_query(raw: Raw, query: list[tuple[str, str]]) -> None:
    text = "&".join(f"{name}={value}" for name, value in query)
    raw.send("GET", f"/todos?{text}")
    raw.send("GET", f"/events?{text}")
    raw.send("GET", f"/todos/{UNKNOWN}?{text.replace('at_least_version', 'wait')}")


def test_only_acknowledged_writes_left_events(api: ApiServer, raw: Raw) -> None:
    assert api.events() == len(raw.acknowledged)
