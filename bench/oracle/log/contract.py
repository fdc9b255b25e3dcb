"""The contract's documents that the oracle reads (`targets/CONTRACT.md`), page by page, each checked strictly.

An answer that is late, cut off, too large or none of the contract's ends the proof with the call that failed, and so
do pages without an end. A 503 is waited out as its `Retry-After` says, for a while.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

import msgspec
import urllib3

from bench.ends.errors import RunFailed

PAGE: Final = 1000
TIMEOUT_S: Final = 30.0
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of an answer: eight times a page of the longest texts."""
UNAVAILABLE_S: Final = 60.0
"""For how long answers with 503 are waited out, all calls together."""
LONGEST_PAUSE_S: Final = 5.0
SHORTEST_PAUSE_S: Final = 0.1

Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

T = TypeVar("T")
Place = TypeVar("Place", int, str)


class Event(msgspec.Struct, frozen=True):
    """An event of the log."""

    position: Number
    stream: Name
    version: Number
    type: str
    data: Any


class Log(msgspec.Struct, frozen=True):
    """A page of the log."""

    events: list[Event]
    next: Number | None


class Todo(msgspec.Struct, frozen=True):
    """A row of the read model; `applied` is None where it is not told."""

    id: Name
    text: str
    version: Number
    applied: Count | None = None


class Todos(msgspec.Struct, frozen=True):
    """A page of rows."""

    todos: list[Todo]
    next: Name | None


class Stats(msgspec.Struct, frozen=True, rename="camel"):
    """The counts that are held against what was read."""

    event_count: Count
    active_todos: Count


class Contract:
    """Reads a target by its contract. Every method raises RunFailed, with the call and what was wrong.

    One kept connection, past any proxy; a call whose connection broke is made once more. `most` is how many entries
    there can be: pages that bring more than that have no end.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url: Final = base_url.rstrip("/")
        again = urllib3.Retry(1, respect_retry_after_header=False)
        self._pool = urllib3.PoolManager(1, timeout=TIMEOUT_S, retries=again)
        self._unavailable_s = UNAVAILABLE_S

    def events(self, after: int, most: int) -> Iterator[Event]:
        """The log behind a position, to its end."""
        place: int | None = after
        while place is not None:
            path = f"/events?after={place}&limit={PAGE}"
            page = self._document(path, Log)
            most = _less(path, most, len(page.events))
            yield from page.events
            place = _following(path, place, page.next, max((event.position for event in page.events), default=None))

    def todos(self, most: int) -> Iterator[Todo]:
        """All pages of active todos."""
        place: str | None = ""
        while place is not None:
            path = f"/todos?limit={PAGE}" + (f"&after={_encoded(place)}" if place else "")
            page = self._document(path, Todos)
            most = _less(path, most, len(page.todos))
            yield from page.todos
            place = _following(path, place, page.next, max((todo.id for todo in page.todos), default=None))

    def todo(self, id: str) -> Todo | None:
        """One todo; None where it is not shown."""
        path = f"/todos/{_encoded(id)}"
        status, body = self._get(path)
        return None if status == 404 else self._read(path, status, body, Todo)

    def stats(self) -> Stats:
        """The counts now."""
        return self._document("/stats", Stats)

    def _document(self, path: str, kind: type[T]) -> T:
        return self._read(path, *self._get(path), kind)

    def _get(self, path: str) -> tuple[int, bytes]:
        """Status and body; a 503 is asked again while there is patience."""
        while True:
            status, body, pause_s = self._ask(path)
            if status != 503 or pause_s > self._unavailable_s:
                return status, body
            self._unavailable_s -= pause_s
            time.sleep(pause_s)

    def _ask(self, path: str) -> tuple[int, bytes, float]:
        """Status, body, and the pause that a 503 asks for."""
        try:
            answer = self._pool.request("GET", f"{self._base_url}{path}", preload_content=False, redirect=False)
            body = answer.read(LARGEST + 1)
        except urllib3.exceptions.HTTPError as error:
            raise RunFailed(f"GET {path}: no answer: {getattr(error, 'reason', None) or error}") from error
        if len(body) > LARGEST:
            answer.close()
            raise RunFailed(f"GET {path}: the answer has more than {LARGEST} bytes")
        answer.release_conn()
        return answer.status, body, _pause(answer.headers.get("Retry-After", ""))

    @staticmethod
    def _read(path: str, status: int, body: bytes, kind: type[T]) -> T:
        if status != 200:
            raise RunFailed(f"GET {path} was answered with {status}")
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RunFailed(f"GET {path}: the answer is not as the contract says: {error}") from error


def _following(path: str, place: Place, following: Place | None, last: Place | None) -> Place | None:
    """Where the next page begins: behind the last entry of this one, by order. Raises RunFailed for any other place."""
    if following is None:
        return None
    if last is None:
        raise RunFailed(f"GET {path}: `next` is {following!r} on an empty page")
    if following != last:
        raise RunFailed(f"GET {path}: `next` is {following!r}, and the page ends with {last!r}")
    if following <= place:
        raise RunFailed(f"GET {path}: `next` is {following!r}, which does not lead on")
    return following


def _less(path: str, most: int, entries: int) -> int:
    """How many entries more there can be after that page."""
    if entries > most:
        raise RunFailed(f"GET {path}: the pages bring more than can be there by the counts of /stats")
    return most - entries


def _pause(retry_after: str) -> float:
    told = float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else 0.0
    return min(max(told, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)


def _encoded(id: str) -> str:
    return quote(id, safe="", errors="surrogatepass")
