"""Every refusal as an RFC 9457 problem document, from one table of errors and their status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import asyncpg
import structlog
from litestar import Request
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap
from msgspec import structs

from eventstore.errors import InvalidEvent, KeyReused, StoreBusy, StoreUnavailable, StoreUnsound, VersionConflict
from services.api.http.answers import Answer, encoded
from services.api.http.bodies import Problem
from services.api.refusals import MalformedRequest, NotProjectedYet, NotReady, UnsupportedMediaType
from services.api.serving.access import request_id
from todo.errors import InvalidText, TodoExists, TodoNotFound

MEDIA_TYPE: Final = b"application/problem+json"
RETRY_AFTER: Final = (b"retry-after", b"1")
"""In seconds."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Kind:
    """How one error is told: status, end of its type's name, title; `detail` replaces the error's own words."""

    status: int
    name: str
    title: str
    detail: str | None = None


_TOO_MUCH: Final = "More requests are under way than can be answered in time. Nothing was written: send it again."

_AWAY: Final = (
    "The store gave no answer. A write may or may not have been committed; "
    "an Idempotency-Key makes it safe to send it again."
)

_BUSY: Final = (
    "A lock, a conflict, a time limit or a full queue kept the store from it. Nothing was written: send it again."
)

KINDS: Final[Mapping[type[Exception], Kind]] = {
    MalformedRequest: Kind(400, "malformed-request", "Malformed request"),
    TodoNotFound: Kind(404, "todo-not-found", "Todo not found"),
    VersionConflict: Kind(409, "version-conflict", "Version conflict"),
    KeyReused: Kind(409, "key-reused", "Idempotency key reused with other content"),
    TodoExists: Kind(409, "todo-exists", "Todo exists"),
    UnsupportedMediaType: Kind(415, "unsupported-media-type", "Unsupported media type"),
    InvalidText: Kind(422, "invalid-text", "Invalid text"),
    InvalidEvent: Kind(422, "invalid-event", "The store can not hold this"),
    StoreBusy: Kind(503, "store-busy", "Store busy", _BUSY),
    StoreUnsound: Kind(503, "store-unsound", "Store unsound"),
    StoreUnavailable: Kind(503, "store-unavailable", "Store unavailable", _AWAY),
    asyncpg.UndefinedTableError: Kind(503, "not-migrated", "Store not migrated", "Run `python -m migrations upgrade`."),
    asyncpg.InsufficientPrivilegeError: Kind(503, "missing-right", "The API's role lacks a right"),
    NotReady: Kind(503, "not-ready", "Not ready"),
    NotProjectedYet: Kind(504, "not-projected-yet", "Not projected yet"),
}


def _known(error: Exception) -> Answer:
    kind = next(KINDS[base] for base in type(error).__mro__ if base in KINDS)
    if kind.status == HTTPStatus.SERVICE_UNAVAILABLE and not isinstance(error, NotReady):
        log.warning(kind.name, error=str(error), request_id=request_id())
    problem = _problem(kind, kind.detail or str(error))
    if isinstance(error, VersionConflict):
        problem = structs.replace(
            problem, stream=error.stream, expected_version=error.expected, actual_version=error.actual
        )
    return answer(problem)


def _problem(kind: Kind, detail: str) -> Problem:
    return Problem(type=f"tag:tidemark,2026:{kind.name}", title=kind.title, status=kind.status, detail=detail)


def _http(error: HTTPException) -> Answer:
    """What Litestar refuses: no such route, wrong method, a parameter out of bounds, a body too large."""
    detail = error.detail
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        detail = "; ".join(f"{part.get('key', 'value')}: {part.get('message', '')}" for part in error.extra)
    return answer(plain(error.status_code, detail), error.headers)


def _unexpected(error: Exception) -> Answer:
    log.error("unexpected error", exc_info=error, request_id=request_id())
    return answer(plain(500, "The server met an error of its own; its log has it under the request's id."))


def plain(status: int, detail: str) -> Problem:
    """A problem that is told by its HTTP status alone."""
    return Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail)


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer for a problem, under the id of the current request; with Retry-After where trying again may help."""
    own = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        own.append(RETRY_AFTER)
    told = structs.replace(problem, request_id=request_id())
    return Answer(told, tuple(own), status_code=problem.status, content_type=MEDIA_TYPE)


def problem_of(error: Exception) -> Answer:
    """The answer for any error; one that is not expected is logged."""
    if isinstance(error, HTTPException):
        return _http(error)
    return _known(error) if isinstance(error, tuple(KINDS)) else _unexpected(error)


def _refuse(_: Request[Any, Any, Any], error: Exception) -> Answer:
    return problem_of(error)


HANDLERS: Final[ExceptionHandlersMap] = dict.fromkeys((*KINDS, HTTPException, Exception), _refuse)


def _whole(kind: Kind) -> bytes:
    """The answer as it is sent, from its first byte to its last. It has no id: nobody has read the request."""
    body = encoded(_problem(kind, kind.detail or kind.title))
    headers = ((b"content-type", MEDIA_TYPE), (b"content-length", b"%d" % len(body)), RETRY_AFTER)
    lines = [b"HTTP/1.1 %d %b" % (kind.status, HTTPStatus(kind.status).phrase.encode())]
    lines += [b"%b: %b" % header for header in headers]
    return b"\r\n".join((*lines, b"", body))


OVERLOADED: Final = _whole(Kind(503, "overloaded", "Overloaded", _TOO_MUCH))
"""What a request that is one too many is answered with."""
