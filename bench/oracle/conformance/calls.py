"""The calls of the contract, one method each, with what no other todo has; what was created is remembered."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from bench.oracle.conformance.client import Answer, Client
from settings.catalogue.capabilities import FIGURES


class Calls:
    """From many threads. `left` are the todos that were created and not deleted."""

    def __init__(self, client: Client) -> None:
        self.client: Final = client
        self.left: Final[dict[str, None]] = {}
        self._numbers = itertools.count(1)
        self._run: Final = secrets.token_hex(4)

    def text(self) -> str:
        """A text that no other todo has."""
        return f"conformance {self._run} {next(self._numbers)}"

    def name(self) -> str:
        """An id or a key that nobody has."""
        return f"unknown-{self._run}{secrets.token_hex(8)}"

    def call(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a document, or `body` as it is. Raises NoAnswer."""
        if document is not None:
            body = json.dumps(document, ensure_ascii=False).encode()
        answer = self.client.send(method, path, body, headers)
        if method == "POST" and path == "/todos" and answer.ok and (id := id_of(answer)):
            self.left[id] = None
        return answer

    def post(self, text: Any, **headers: str) -> Answer:
        """Create; `idempotency_key` and the like are headers."""
        return self.call("POST", "/todos", {"text": text}, headers=_headers(headers))

    def put(self, id: str, text: Any, **headers: str) -> Answer:
        """Update."""
        return self.call("PUT", path(id), {"text": text}, headers=_headers(headers))

    def delete(self, id: str, **headers: str) -> Answer:
        """Delete."""
        answer = self.call("DELETE", path(id), headers=_headers(headers))
        if answer.ok:
            self.left.pop(id, None)
        return answer

    def get(self, id: str, **query: Any) -> Answer:
        """Read one."""
        return self.call("GET", path(id) + _query(query))

    def page(self, **query: Any) -> Answer:
        """Read a page."""
        return self.call("GET", "/todos" + _query(query))

    def events(self, **query: Any) -> Answer:
        """Read a page of the log."""
        return self.call("GET", "/events" + _query(query))

    def stats(self) -> Answer:
        """Read the figures."""
        return self.call("GET", "/stats")


def path(id: str) -> str:
    """Where a todo is read."""
    return f"/todos/{quote(id, safe='')}"


def figures(answer: Answer) -> dict[str, int]:
    """The required figures of `/stats`, those that are whole numbers from 0 on."""
    told = {name: answer.field(name) for name in FIGURES}
    return {name: value for name, value in told.items() if whole(value)}


def whole(value: Any, least: int = 0) -> bool:
    """A whole number, and no boolean."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def located(answer: Answer) -> str:
    """The id that `Location` leads to, empty where it leads to no todo."""
    try:
        parts = urlsplit(answer.header("location")).path.rpartition("/todos/")
    except ValueError:
        return ""
    return "" if "/" in parts[2] else unquote(parts[2])


def id_of(answer: Answer) -> str:
    told = answer.field("stream")
    return told if isinstance(told, str) else located(answer)


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in given.items()}


def _query(given: Mapping[str, Any]) -> str:
    told = {name: value for name, value in given.items() if value is not None}
    return f"?{urlencode(told)}" if told else ""
