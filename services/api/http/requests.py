"""Read what a caller sends: the body's text, the id in the path, the conditional and idempotency headers."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from services.api.http.bodies import TextBody
from services.api.reading.waiting import DEFAULT_WAIT_MS, MAX_WAIT_MS
from services.api.refusals import MalformedRequest, UnsupportedMediaType
from todo.errors import InvalidText, TodoNotFound

Q = TypeVar("Q", bound=msgspec.Struct)

MAX_BODY: Final = 32 * 1024
"""Bytes. The longest text, each character written as a pair of JSON escapes, fits."""

MAX_VERSION: Final = 999_999_999
"""The highest version that a caller can name."""

MAX_POSITION: Final = 2**53 - 1
"""The highest position that a caller can name: a whole number in every language that reads JSON."""

MAX_SHARD: Final = 255
"""The highest number of a shard that a caller can name."""

MAX_PAGE: Final = 1000
"""Todos or events on a page."""

ID: Final = "todo-[0-9a-f]{32}"
"""Pattern of a todo's id."""

VERSION: Final = '"([0-9]{1,9})"'
"""Pattern of a version as `If-Match` has it."""

KEY: Final = "[!-~](?:[ -~]{0,198}[!-~])?"
"""Pattern of an `Idempotency-Key`: 1 to 200 printable ASCII characters; blanks around it are none of it in HTTP."""

_ID: Final = re.compile(ID)
_ETAG: Final = re.compile(VERSION)
_KEY: Final = re.compile(KEY)
_JSON: Final = re.compile(r"application/(?:[a-z0-9.-]+\+)?json\s*(?:;.*)?", re.IGNORECASE | re.ASCII)

_decode: Final = msgspec.json.Decoder(TextBody).decode


class Sent:
    """What a caller sends beside the path: the headers that are read here, and the body. A repeated header counts once.

    In a scope the names of headers are in lower case.
    """

    __slots__ = ("_receive", "content_type", "idempotency_key", "if_match", "length")

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self._receive = request.receive
        self.content_type: str | None = None
        self.idempotency_key: str | None = None
        self.if_match: str | None = None
        self.length = 0
        for name, value in reversed(list(request.scope["headers"])):
            match name:
                case b"content-type":
                    self.content_type = value.decode("latin-1")
                case b"content-length":
                    self.length = int(value)
                case b"if-match":
                    self.if_match = value.decode("latin-1")
                case b"idempotency-key":
                    self.idempotency_key = value.decode("latin-1")

    async def text(self) -> str:
        """The `text` of the body. Raises RequestEntityTooLarge, UnsupportedMediaType, MalformedRequest or InvalidText.

        To be called before anything is refused: a body left unread has to be read past before the next request.
        """
        if self.length > MAX_BODY:
            raise RequestEntityTooLarge
        body = b""
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise MalformedRequest("the body was cut off")
            body += message["body"]
            if len(body) > MAX_BODY:
                raise RequestEntityTooLarge
            if not message["more_body"]:
                return text_of(body, self.content_type)


class Awaited(msgspec.Struct, frozen=True):
    """The query of a read: the version to wait for (UNSET: do not wait), and for how many milliseconds at most."""

    at_least_version: Annotated[int, msgspec.Meta(ge=1, le=MAX_VERSION)] | msgspec.UnsetType = msgspec.UNSET
    wait: Annotated[int, msgspec.Meta(ge=0, le=MAX_WAIT_MS)] = DEFAULT_WAIT_MS


_AT_ONCE: Final = Awaited()


def awaited(request: Request[Any, Any, Any]) -> Awaited:
    """What the query says. Raises ClientException for a value out of its bounds; what is not known is not read."""
    return _query(request, Awaited) if request.scope["query_string"] else _AT_ONCE


class Named(msgspec.Struct, frozen=True):
    """The query of a page of the log: the number of a shard."""

    shard: Annotated[int, msgspec.Meta(ge=0, le=MAX_SHARD)] | msgspec.UnsetType = msgspec.UNSET


def shard_of(request: Request[Any, Any, Any]) -> int | None:
    """The shard that the query names, if it names one. Raises ClientException for what is no such number."""
    named = _query(request, Named).shard
    return None if named is msgspec.UNSET else named


# What may be absent is UNSET and not None, which the word null would be read as.
def _query(request: Request[Any, Any, Any], kind: type[Q]) -> Q:
    given = {name: value for name, value in request.query_params.items() if name in kind.__struct_fields__}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ClientException(f"the query can not be read: {error}") from error


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
