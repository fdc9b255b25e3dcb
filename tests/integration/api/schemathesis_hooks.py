"""What schemathesis can not know of this API: how a caller reads its own writes, and that a refusal leaves no event.

It is loaded by schemathesis alone, whose library is not imported by the other tests. API is the address.
"""

from __future__ import annotations

import json
import os
import re
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

import schemathesis

from services.api.http.requests import VERSION

MATCH: Final = "If-Match"
_VERSION: Final = re.compile(rf"\*|{VERSION}")
READ: Final = "GET /todos/{stream}"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
SOON_MS: Final = 20
"""For a version that nobody has written."""
SURELY_MS: Final = 10_000
"""For one that was acknowledged."""


class Store:
    """What the store holds, as this one caller knows it: nobody else writes."""

    def __init__(self, base_url: str) -> None:
        self._connection = HTTPConnection(urlsplit(base_url).netloc, timeout=20)
        self.versions: dict[str, int] = {}
        self.events = self.count()

    def count(self) -> int:
        """How many events there are."""
        self._connection.request("GET", "/stats")
        return int(json.loads(self._connection.getresponse().read())["eventCount"])


store: Final = Store(os.environ["API"])


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """A caller that wants to see its own write says so; one that waits for another's does not wait for long.

    For If-Match the library has values of its own, whatever the document says of it; what is meant to be right is so.
    """
    if case.headers and MATCH in case.headers and case.meta is not None and case.meta.generation.mode.is_positive:
        case.headers[MATCH] = case.headers[MATCH] if _VERSION.fullmatch(case.headers[MATCH]) else '"1"'
    if case.operation.label != READ:
        return
    query = case.query if isinstance(case.query, dict) else {}
    known = store.versions.get(str((case.path_parameters or {}).get("stream")))
    if known is not None and "at_least_version" not in query:
        query = {"wait": SURELY_MS, **query, "at_least_version": known}
    elif "at_least_version" in query:
        wait = query.get("wait", SURELY_MS)
        query = {**query, "wait": SOON_MS if str(wait).isdecimal() and SOON_MS < int(wait) <= SURELY_MS else wait}
    case.query = query


@schemathesis.hook
def after_call(_: schemathesis.HookContext, case: Any, response: Any) -> None:
    """Remember what was acknowledged."""
    if response.status_code in (200, 201) and case.method in ("POST", "PUT") and case.path != "/drain":
        written = response.json()
        store.versions[written["stream"]] = written["version"]
    elif response.status_code == 204 and case.method == "DELETE":
        store.versions[case.path_parameters["stream"]] = int(response.headers["etag"][0].strip('"'))


@schemathesis.check
def an_event_is_left_by_acknowledged_writes_alone(_: schemathesis.CheckContext, response: Any, case: Any) -> None:
    """Counted after every request that may write."""
    if case.method in SAFE:
        return
    before, store.events = store.events, store.count()
    acknowledged = response.status_code < 300 and case.path != "/drain"
    assert store.events - before in ((0, 1) if acknowledged else (0,)), (
        f"{response.status_code} left {store.events - before} events"
    )
