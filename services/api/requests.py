"""Read what a caller sends: the body's text, the id in the path, the conditional and idempotency headers."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from services.api.documents import TextBody
from services.api.refusals import MalformedRequest, UnsupportedMediaType
from todo.errors import InvalidText, TodoNotFound

MAX_BODY: Final = 32 * 1024
"""Bytes. The longest text, each character written as a pair of JSON escapes, fits."""

_ID: Final = re.compile(r"todo-[0-9a-f]{32}")
_ETAG: Final = re.compile(r'"(\d{1,9})"', re.ASCII)
_KEY: Final = re.compile(r"[\x20-\x7e]{1,200}")
_JSON: Final = re.compile(r"application/(?:[a-z0-9.-]+\+)?json\s*(?:;.*)?", re.IGNORECASE | re.ASCII)

_decode: Final = msgspec.json.Decoder(TextBody).decode


async def read_text(request: Request[Any, Any, Any]) -> str:
    """The `text` of the body. Raises UnsupportedMediaType, MalformedRequest or InvalidText.

    To be called before anything is refused: a body left unread costs the caller its connection.
    """
    try:
        body = await request.body()
    except InternalServerException as error:
        raise MalformedRequest("the body was cut off") from error
    return text_of(body, request.headers.get("content-type"))


def text_of(body: bytes, content_type: str | None) -> str:
    """The `text` of a body. Raises UnsupportedMediaType, MalformedRequest or InvalidText."""
    if content_type is not None and not _JSON.fullmatch(content_type.strip()):
        raise UnsupportedMediaType("send the body as application/json")
    try:
        return _decode(body).text
    except msgspec.ValidationError as error:
        raise InvalidText(f"expected an object with a text: {error}") from error
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"the body is not UTF-8: {error.reason}") from error
    except RecursionError as error:
        raise MalformedRequest("the body is nested too deeply") from error
    except msgspec.DecodeError as error:
        raise _why(body, error) from error


def _why(body: bytes, error: msgspec.DecodeError) -> Exception:
    """Lone surrogates are well-formed JSON, but no text; the decoder takes them for malformed."""
    try:
        json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return MalformedRequest(f"the body is not JSON: {error}")
    return InvalidText("text contains a lone surrogate")


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def is_todo_id(value: str) -> bool:
    """Whether a todo can be called so."""
    return _ID.fullmatch(value) is not None


def todo_id(value: str) -> str:
    """The id of a todo. Raises TodoNotFound for anything that no todo can be called."""
    if not is_todo_id(value):
        raise TodoNotFound("there is no such todo")
    return value


def expected_version(if_match: str | None) -> int | None:
    """The version of `If-Match: "<version>"`; None without the header, or for `*`. Raises MalformedRequest."""
    if if_match is None or if_match == "*":
        return None
    match = _ETAG.fullmatch(if_match)
    if not match:
        raise MalformedRequest('If-Match takes one version in quotes, such as "3", or *')
    return int(match[1])


def idempotency_key(value: str | None) -> str | None:
    """The key, or None without the header. Raises MalformedRequest."""
    if value is not None and not _KEY.fullmatch(value):
        raise MalformedRequest("Idempotency-Key takes 1 to 200 printable ASCII characters")
    return value
