"""What a system at BASE_URL offers beyond the required calls, as far as questions that change nothing show it.

Nobody has declared it there. What takes a write to see (`wait`, `idempotency`, `if-match`) is taken as not offered;
`events` and `applied`, on which a proof rests, are decided by the check of the contract, which writes.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from bench.platforms.http_client import UNREADABLE, content, direct, stats
from settings.catalogue.capabilities import Capability

EVENT: Final[Mapping[str, type]] = {"position": int, "stream": str, "version": int, "type": str, "data": dict}
ACCEPTED: Final = 202
UNAVAILABLE: Final = 503
AGAIN: Final = 5
PAUSE_S: Final = 0.2


def offered(base_url: str) -> tuple[Capability, ...]:
    """The capabilities, in the contract's order; none where nobody answers."""
    found: list[Capability] = []
    if _has_events(_get(f"{base_url}/events?limit=1")):
        found.append("events")
    if _drains(base_url):
        found.append("drain")
    if _has_applied(_get(f"{base_url}/todos?limit=1")):
        found.append("applied")
    if _has_leases(stats(base_url)):
        found.append("leases")
    return tuple(found)


def _get(url: str) -> Any:
    """The document of a 200 answer, None for any other."""
    try:
        with _answer(urllib.request.Request(url)) as answer:
            return content(answer) if answer.status == 200 else None
    except UNREADABLE:
        return None


def _answer(request: urllib.request.Request) -> http.client.HTTPResponse:
    """The answer; a 503, which says neither yes nor no, is asked again a few times. Raises as `direct`."""
    for _ in range(AGAIN - 1):
        try:
            return direct(request)
        except urllib.error.HTTPError as error:
            if error.code != UNAVAILABLE:
                raise
            error.close()
        time.sleep(PAUSE_S)
    return direct(request)


def _drains(base_url: str) -> bool:
    try:
        with _answer(urllib.request.Request(f"{base_url}/drain", data=b"", method="POST")) as answer:
            return bool(answer.status == ACCEPTED)
    except (OSError, http.client.HTTPException):
        return False


def _has_events(page: Any) -> bool:
    if not isinstance(page, dict) or "next" not in page or not isinstance(page.get("events"), list):
        return False
    return all(
        isinstance(event, dict) and all(isinstance(event.get(name), kind) for name, kind in EVENT.items())
        for event in page["events"]
    )


def _has_applied(page: Any) -> bool:
    """Told by the first todo; where there is none, nothing is known of it."""
    todos = _list(page, "todos")
    return bool(todos) and all(isinstance(todo, dict) and isinstance(todo.get("applied"), int) for todo in todos)


def _has_leases(told: Any) -> bool:
    projectors = _list(told, "projectors")
    return bool(projectors) and all(
        isinstance(one, dict) and {"holder", "alive", "leasesHeld"} <= one.keys() for one in projectors
    )


def _list(document: Any, name: str) -> list[Any]:
    """The list of that name, empty where there is none."""
    found = document.get(name) if isinstance(document, dict) else None
    return found if isinstance(found, list) else []
