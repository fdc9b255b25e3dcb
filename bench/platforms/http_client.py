"""The little HTTP that the bench itself speaks to the system under test."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import quote

from bench.ends import signals
from bench.ends.errors import SetupError
from settings.catalogue.capabilities import FIGURES

TIMEOUT_S = 5.0
PAGE = 1000
LARGEST: Final = 16 * 1024 * 1024
"""Bytes of an answer: a page of the longest texts has less, however it is escaped."""
SETTLED_WITHIN_S: Final = 30.0
POLL_S: Final = 0.1


class NotWorking(Exception):
    """A projector is there and waits, since something that its work needs does not hold; the text says what."""


UNREADABLE: Final = (OSError, http.client.HTTPException, ValueError, RecursionError)
"""What comes of an answer that is none, is cut, too large, too late, no JSON, or nested beyond all measure."""
PART: Final = 65536

_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""The system is ours, so no proxy of the environment stands before it."""


def direct(request: str | urllib.request.Request, timeout_s: float = TIMEOUT_S) -> http.client.HTTPResponse:
    """Open an address without any proxy. Raises OSError (URLError, HTTPError), HTTPException."""
    answer: http.client.HTTPResponse = _DIRECT.open(request, timeout=timeout_s)
    return answer


def ready(base_url: str) -> bool:
    """True when the API says that it is ready."""
    try:
        with direct(f"{base_url}/readyz") as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def stats(base_url: str) -> dict[str, Any] | None:
    """The document of GET /stats, None when it can not be had at the moment."""
    return document(base_url, "/stats")


def document(base_url: str, path: str) -> dict[str, Any] | None:
    """The JSON object that is answered there with success; None where none is."""
    try:
        with direct(f"{base_url}{path}") as answer:
            told = content(answer)
            return told if isinstance(told, dict) else None
    except UNREADABLE:
        return None


def content(answer: http.client.HTTPResponse, timeout_s: float = TIMEOUT_S) -> Any:
    """The JSON of an answer that is bounded in size and time, whoever sends it. Raises one of UNREADABLE."""
    ends, parts, size = time.monotonic() + timeout_s, [], 0
    while part := answer.read1(PART):
        parts.append(part)
        size += len(part)
        if size > LARGEST or time.monotonic() > ends:
            raise ValueError(f"more than {LARGEST} bytes, or not whole within {timeout_s:g} s")
    return json.loads(b"".join(parts))


def todo_ids(base_url: str) -> Iterator[str]:
    """The ids of all active todos, page by page. Raises one of UNREADABLE."""
    after = ""
    while True:
        with direct(f"{base_url}/todos?limit={PAGE}&after={after}") as answer:
            page = content(answer)
        yield from (todo["id"] for todo in page["todos"])
        if page["next"] is None:
            return
        after = quote(page["next"], safe="")


def figures(base_url: str) -> dict[str, Any] | None:
    """The same with all of its required figures; None also where one of them is no number."""
    found = stats(base_url)
    told = isinstance(found, dict) and all(type(found.get(name)) in (int, float) for name in FIGURES)
    return found if told else None


def at_work(base_url: str, holder: str) -> bool:
    """True when the API reports a projector of that name as alive. Raises NotWorking where it says why it may not."""
    found = [one for one in (stats(base_url) or {}).get("projectors", []) if one["holder"] == holder and one["alive"]]
    if why := next((one["waiting"] for one in found if one["waiting"]), None):
        raise NotWorking(why)
    return bool(found)


def settle(base_url: str, count: int, strategy: str | None = None) -> dict[str, Any]:
    """The statistics as soon as just `count` projectors are alive, all by `strategy` if given. Raises SetupError."""
    return until(lambda told: _settled(told, count, strategy), base_url, f"{count} projector(s) to be alive")


def until(condition: Callable[[dict[str, Any]], bool], base_url: str, what: str) -> dict[str, Any]:
    """The first statistics that fulfil the condition. Raises SetupError when none did in time."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while True:
        signals.check()
        told = stats(base_url)
        if told is not None and condition(told):
            return told
        if time.monotonic() > deadline:
            raise SetupError("stack", f"waited in vain for {what}", "see the projectors' logs")
        time.sleep(POLL_S)


def _settled(told: dict[str, Any], count: int, strategy: str | None) -> bool:
    alive = [projector for projector in told["projectors"] if projector["alive"]]
    return len(alive) == count and all(strategy in (None, projector["strategy"]) for projector in alive)
